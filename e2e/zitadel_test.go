package e2e

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
)

func newZitadelWorld(t *testing.T) (*world, *zitadel) {
	t.Helper()
	w := newWorld(t)
	w.startBus()
	w.startKeyring(true)
	w.actor("walk")
	return w, startZitadel(t)
}

// A second opinion in Go: the whole life of a login with a client that was
// registered by hand, and with PKCE.
func TestZitadel_wholeLife_endsWithDeadTokens(t *testing.T) {
	t.Parallel()
	w, z := newZitadelWorld(t)
	w.must(w.payu("login", "--url", z.endpoint, "--client-id", nativeClient, "--scope", "openid offline_access"), 0)
	h := w.startHost("--url", z.endpoint)
	h.initialize()
	h.works()
	z.refuseTokens()
	h.healthy()
	if n := len(z.granted("refresh_token")); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
	h.end()
	if n := len(z.granted("authorization_code")); n != 1 {
		t.Errorf("%d sign-ins, want 1", n)
	}
	w.must(w.payu("logout"), 0)
	w.must(w.payu("status", "--json"), 3)
	last := z.granted("refresh_token")[0]
	if z.alive(t, last.access) {
		t.Error("after logout the access token is good")
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {last.refresh}, "client_id": {nativeClient}}
	if code := status(t, z.issuer+"/oauth/token", "", form); code != http.StatusBadRequest {
		t.Errorf("after logout the refresh token gets %d, want 400", code)
	}
	w.noLeaks(z.secrets)
}

// By code, with a client that has a secret, at a server that then gives no refresh
// token (OAUTH A41): the login lasts as long as the access token.
func TestZitadel_byCode_lastsAsLongAsItsToken(t *testing.T) {
	t.Parallel()
	w, z := newZitadelWorld(t)
	secret := w.path("client-secret")
	if err := os.WriteFile(secret, []byte(codeSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := w.must(w.loginByCode("--url", z.endpoint, "--client-id", codeClient, "--client-secret-file", secret, "--scope", "openid"), 0)
	if strings.Contains(r.stdout, "renewed by itself") {
		t.Errorf("login says: %s", r.stdout)
	}
	granted := z.granted("urn:ietf:params:oauth:grant-type:device_code")
	if len(granted) != 1 || granted[0].refresh != "" {
		t.Fatalf("granted: %d", len(granted))
	}
	h := w.startHost()
	h.initialize()
	h.works()
	z.refuseTokens()
	if r := h.call("health_check", map[string]any{}); !r.IsError {
		t.Errorf("without a good token the call gives %+v", r)
	}
	h.end()
	if n := len(z.granted("refresh_token")); n != 0 {
		t.Errorf("%d refreshes", n)
	}
	if err := os.Remove(secret); err != nil {
		t.Fatal(err)
	}
	w.noLeaks(z.secrets)
}
