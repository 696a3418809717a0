package sandbox_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

func TestRegister_secretLife_toldAndKept(t *testing.T) {
	t.Parallel()
	c := newClock()
	sb := start(t, sandbox.Options{Now: c.now})
	a := newApp(t, sb)
	for life, want := range map[time.Duration]int64{0: 0, time.Hour: c.now().Add(time.Hour).Unix()} {
		sb.Change(func(k *sandbox.Knobs) { k.Client.SecretLife = life })
		resp := a.do(http.MethodPost, sb.ResourceOrigin()+"/register", "application/json",
			`{"redirect_uris":["`+redirect+`"],"token_endpoint_auth_method":"client_secret_post"}`)
		var got struct {
			Expires *int64 `json:"client_secret_expires_at"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || got.Expires == nil || *got.Expires != want {
			t.Fatalf("%v, expires %v, want %d", err, got.Expires, want)
		}
	}
}

func TestRegister_secretEnded_invalidClient(t *testing.T) {
	t.Parallel()
	c := newClock()
	sb := start(t, sandbox.Options{Now: c.now})
	a := newApp(t, sb)
	a.id, a.secret = "short", "a secret for an hour"
	sb.AddClient(sandbox.Client{ID: a.id, Secret: "a secret for an hour", RedirectURIs: []string{redirect}, SecretExpiry: c.now().Add(time.Hour)})
	c.pass(time.Hour - time.Second)
	got := a.signIn()
	c.pass(time.Second)
	if got := a.refresh(got.Refresh); got.Error != "invalid_client" {
		t.Error(got)
	}
}

func TestBareEndpoints_servedOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{OnePort: true})
	a := newApp(t, sb)
	sb.SetHeadless("B")
	at := strings.Replace(a.authorizeURL(nil), "/oauth/authorize", "/authorize", 1)
	if resp := a.do(http.MethodGet, at, "", ""); resp.StatusCode != http.StatusNotFound {
		t.Error(resp.Status)
	}
	sb.SetMetadata(sandbox.MetadataKnobs{BareEndpoints: true})
	resp := a.do(http.MethodGet, at, "", "")
	to, err := resp.Location()
	if err != nil {
		t.Fatal(resp.Status, err)
	}
	form := codeForm(to.Query().Get("code"))
	form.Set("client_id", a.id)
	if resp := a.do(http.MethodPost, sb.ResourceOrigin()+"/token", "application/x-www-form-urlencoded", form.Encode()); resp.StatusCode != http.StatusOK {
		t.Error(resp.Status)
	}
}
