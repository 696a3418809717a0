package auth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/payu-mcp/payu-mcp/internal/redact"
)

func TestParseChallenge_table(t *testing.T) {
	t.Parallel()
	const meta = "https://h.example/.well-known/oauth-protected-resource"
	for name, c := range map[string]struct {
		values []string
		want   challenge
	}{
		"none":        {nil, challenge{}},
		"bare":        {[]string{"Bearer"}, challenge{}},
		"metadata":    {[]string{`Bearer resource_metadata="` + meta + `"`}, challenge{resourceMetadata: meta}},
		"with scope":  {[]string{`Bearer error="invalid_token", scope="a b", resource_metadata="` + meta + `"`}, challenge{resourceMetadata: meta, scope: "a b"}},
		"step-up":     {[]string{`Bearer error="insufficient_scope", scope="a"`}, challenge{scope: "a", stepUp: true}},
		"second line": {[]string{`Basic realm="x"`, `bearer resource_metadata="` + meta + `"`}, challenge{resourceMetadata: meta}},
		"empty realm": {[]string{`Bearer realm=""`, `Bearer scope="x"`}, challenge{scope: "x"}},
		"broken":      {[]string{`Bearer resource_metadata="unterminated`}, challenge{}},
		"not bearer":  {[]string{`DPoP resource_metadata="` + meta + `"`}, challenge{}},
	} {
		if got := parseChallenge(c.values); got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestTokenAnswer_life_numberOrString(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for raw, want := range map[string]time.Duration{
		`7199`: 7199 * time.Second, `"3600"`: time.Hour, `1.5e1`: 15 * time.Second, `-1`: 0, `null`: 0, `"soon"`: 0, `1e300`: 0, `{}`: 0,
	} {
		var res tokenAnswer
		if err := json.Unmarshal([]byte(`{"access_token":"a","expires_in":`+raw+`}`), &res); err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		cred := res.apply(Credential{}, now)
		if want == 0 && !cred.Expiry.IsZero() || want != 0 && !cred.Expiry.Equal(now.Add(want)) {
			t.Errorf("expires_in %s: expiry %v", raw, cred.Expiry)
		}
	}
}

// The SDK's registration type panics at null.
func TestDecode_noObject_refused(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"null", " null", "[]", `"x"`, "1", "", "\n"} {
		var res oauthex.ClientRegistrationResponse
		if err := (&answer{json: true, body: []byte(body)}).decode(&res); !errors.Is(err, errNoObject) {
			t.Errorf("%q: %v", body, err)
		}
	}
	var res oauthex.ClientRegistrationResponse
	if err := (&answer{json: true, body: []byte("\r\n\t {}")}).decode(&res); err != nil {
		t.Error(err)
	}
}

// OAUTH A41: a refresh token that was not replaced stays.
func TestTokenAnswer_withoutRefreshToken_keepsOld(t *testing.T) {
	t.Parallel()
	old := Credential{RefreshToken: "r1", Scopes: []string{"a"}}
	got := (&tokenAnswer{AccessToken: "a2"}).apply(old, time.Now())
	if got.RefreshToken.Reveal() != "r1" || got.AccessToken.Reveal() != "a2" || len(got.Scopes) != 1 {
		t.Errorf("credential %+v", got)
	}
	if got = (&tokenAnswer{AccessToken: "a3", RefreshToken: "r2", Scope: granted{"b", "c"}}).apply(old, time.Now()); got.RefreshToken.Reveal() != "r2" || !cmp.Equal(got.Scopes, []string{"b", "c"}) {
		t.Errorf("credential %+v", got)
	}
}

func TestAccount_sources(t *testing.T) {
	t.Parallel()
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"s1","email":"a@shop.example"}`))
	for name, c := range map[string]struct {
		res  tokenAnswer
		want string
	}{
		"nothing":  {tokenAnswer{}, ""},
		"email":    {tokenAnswer{Email: "x\x1b@y"}, "x @y"},
		"uuid":     {tokenAnswer{UserUUID: "11e7"}, "11e7"},
		"id token": {tokenAnswer{IDToken: extra("h." + claims + ".s"), UserUUID: "11e7"}, "a@shop.example"},
		"garbage":  {tokenAnswer{IDToken: "h.%%%.s"}, ""},
	} {
		if got := c.res.account(); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestSeal_roundTrip_andNoLeakOutside(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	for _, size := range []int{100, 64 << 10} {
		c := &Credential{
			Resource: "https://h.example/mcp", Server: Server{Issuer: "https://as.example", TokenEndpoint: "https://as.example/t"},
			Registration: Registration{Issuer: "https://as.example", ClientID: "id", Secret: "cs", AuthMethod: authPost, RedirectURI: "http://127.0.0.1:1/callback", Dynamic: true},
			AccessToken:  redact.Secret(strings.Repeat("a", size)), RefreshToken: redact.Secret(strings.Repeat("r", size)),
			Scopes: []string{"x"}, ObtainedAt: at, Expiry: at.Add(time.Hour), SignedInAt: at, Account: "me", LastRefresh: Refresh{At: at, Result: "ok"},
		}
		b, err := c.Seal()
		if err != nil {
			t.Fatal(err)
		}
		got, err := Unseal(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, got); diff != "" {
			t.Error(diff)
		}
		summary, err := json.Marshal(c.Summary())
		if err != nil {
			t.Fatal(err)
		}
		for _, out := range []string{string(summary), fmt.Sprintf("%v %+v", *c, c.Registration)} {
			if strings.Contains(out, "aaaa") || strings.Contains(out, "rrrr") || strings.Contains(out, "cs ") {
				t.Errorf("leak in %.80s", out)
			}
		}
		if strings.Contains(string(summary), `"me"`) {
			t.Error("the summary holds personal data")
		}
	}
}

func TestUnseal_broken_errorWithoutContent(t *testing.T) {
	t.Parallel()
	if _, err := Unseal([]byte(`{"access_token":"s3cr3t`)); err == nil || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("err = %v", err)
	}
}

func TestSplitCommand_table(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		"": nil, "firefox": {"firefox"}, "  a  b ": {"a", "b"}, `"/a b/c" d`: {"/a b/c", "d"}, `x "" y`: {"x", "", "y"}, `a"b c"d`: {"ab cd"},
	} {
		if got := splitCommand(in); !cmp.Equal(got, want) {
			t.Errorf("splitCommand(%q) = %q", in, got)
		}
	}
}
