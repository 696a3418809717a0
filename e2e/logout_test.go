package e2e

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// A whole life of a login with all logs on: sign-in, two bridges, refresh, logout.
// Five seconds after it no session and no stream of theirs is left, and no secret
// that the server ever issued stands in an output, a log, a file, the arguments or
// the environment of a process; the sealed file does not show them either.
//
//oauth:row A37 auth/credential.go "ClientID:     clean(c.Registration.ClientID)," => "ClientID:     clean(c.AccessToken.Reveal()),"
//oauth:row A38 auth/credential.go "ClientID:     clean(c.Registration.ClientID)," => "ClientID:     clean(c.RefreshToken.Reveal()),"
func TestLogout_twoBridgesWithAllLogsOn_endAndLeaveNoSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sb := startSandbox(t, shortTokens())
	w.actor("reload")
	w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)
	var hosts []*host
	for _, name := range []string{"a.log", "b.log"} {
		h := w.startHost("--log-file", w.path("logs", name))
		h.initialize()
		h.works()
		hosts = append(hosts, h)
	}
	w.eventually("both streams are open", 10*time.Second, func() bool { return sb.Streams() == 2 })
	sb.ExpireAccessTokens()
	for _, h := range hosts {
		h.healthy()
	}
	w.noLeaks(sb.Secrets())
	at := sb.Log().Len()
	w.must(w.payu("logout"), 0)
	w.eventually("both bridges have ended their sessions", 5*time.Second, func() bool {
		ended := sb.Log().Find(sandbox.Query{Method: http.MethodDelete, After: at})
		return len(ended) == 2 && sb.Streams() == 0 && !slices.ContainsFunc(ended, func(e sandbox.Entry) bool { return e.Authorization == "" })
	})
	for _, h := range hosts {
		h.end()
	}
	w.noLeaks(sb.Secrets())
}
