package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/keychain"
)

// Somebody is signed in at PayU; a host's entry names another endpoint. Nothing
// of the login gets there, also if the sealed file is put where that endpoint's
// would be.
//
//oauth:row X16 keychain/view.go "if h.Profile != s.o.Profile || h.Resource != s.o.Resource {" => "if false {"
//oauth:row A36 keychain/view.go "if h.Profile != s.o.Profile || h.Resource != s.o.Resource {" => "if false {"
func TestElsewhere_urlWithPayULoginStored_noAuthorizationSeen(t *testing.T) {
	t.Parallel()
	w, payu := payuWorld(t)
	w.must(w.payu("login"), 0)

	var asked, bearing atomic.Int32
	other := startSandbox(t, sandbox.Options{Wrap: func(_ sandbox.Role, next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			if r.Header.Get("Authorization") != "" || strings.Contains(r.URL.RawQuery, "token") {
				bearing.Add(1)
			}
			next.ServeHTTP(rw, r)
		})
	}})
	w.setenv("PAYU_MCP_BROWSER", "true")
	use := func() {
		t.Helper()
		before := asked.Load()
		h := w.startHost("--url", other.Endpoint(), "--store=file")
		h.initialize()
		h.lists(len(ownTools()))
		h.end()
		if asked.Load() == before {
			t.Error("the other endpoint was not asked at all")
		}
	}
	use()
	from, to := keychain.Path(w.state, "default", "https://api.payu.in/mcp"), keychain.Path(w.state, "default", other.Endpoint())
	for _, suffix := range []string{".json", ".key"} {
		data, err := os.ReadFile(strings.TrimSuffix(from, filepath.Ext(from)) + suffix)
		if err == nil {
			err = os.WriteFile(strings.TrimSuffix(to, filepath.Ext(to))+suffix, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	use()
	w.payu("login", "--url", other.Endpoint(), "--store=file", "--time-limit=1s")
	w.payu("logout")
	if n := bearing.Load(); n != 0 {
		t.Errorf("%d requests to the other endpoint bore a token", n)
	}
	w.noLeaks(payu.Secrets())
}
