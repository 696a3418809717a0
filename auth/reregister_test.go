package auth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
	"github.com/payu-mcp/payu-mcp/internal/sandbox/fault"
)

const authorizePath = "/oauth/authorize"

// faulty is a world with faults.
func faulty(t *testing.T, change ...func(*auth.Config)) (*world, *fault.Injector) {
	t.Helper()
	var in fault.Injector
	return newWorld(t, sandbox.Options{Wrap: in.Wrap}, change...), &in
}

// signedOut is somebody who was signed in and whose registration is remembered.
func (w *world) signedOut() *auth.Credential {
	w.t.Helper()
	old := w.mustSignIn()
	w.sb.RevokeFromDashboard("A")
	if err := w.meet401(w.client, old.AccessToken); !errors.Is(err, auth.ErrSignInNeeded) {
		w.t.Fatal(err)
	}
	return old
}

func (w *world) registrations() int { return w.count(sandbox.Query{Path: "/register", Status: 201}) }

// Whatever form the page has that a dead client would get: nobody sees it, and one
// registration takes its place (OAUTH L8, Q5).
func TestSignIn_serverForgotClient_registersBeforeTheBrowserOpens(t *testing.T) {
	t.Parallel()
	for name, form := range map[string]sandbox.TurnAway{
		"400": sandbox.TurnAwayPage, "401": sandbox.TurnAwayUnauthorized, "422": sandbox.TurnAwayUnprocessable,
		"redirect to us": sandbox.TurnAwayRedirect, "redirect elsewhere": sandbox.TurnAwayElsewhere,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{})
			w.sb.Change(func(k *sandbox.Knobs) { k.Client.Unknown = form })
			old := w.signedOut()
			w.sb.PurgeClients()
			before := w.sb.Log().Len()
			cred := w.mustSignIn()
			asked := w.sb.Log().Find(sandbox.Query{Path: authorizePath, After: before})
			if w.registrations() != 2 || cred.Registration.ClientID == old.Registration.ClientID || len(asked) != 2 {
				t.Fatalf("%d registrations, %d authorization requests", w.registrations(), len(asked))
			}
			if cred.Registration.RedirectURI != old.Registration.RedirectURI {
				t.Errorf("redirect URI %s, want %s", cred.Registration.RedirectURI, old.Registration.RedirectURI)
			}
			question, sent := asked[0].Form, asked[1].Form
			for _, same := range []string{"redirect_uri", "resource", "response_type"} {
				if question.Get(same) != sent.Get(same) {
					t.Errorf("%s: asked with %q, sent with %q", same, question.Get(same), sent.Get(same))
				}
			}
			for _, other := range []string{"state", "code_challenge"} {
				if question.Get(other) == "" || question.Get(other) == sent.Get(other) {
					t.Errorf("%s is not a throwaway one", other)
				}
			}
		})
	}
}

// What is no word about the client changes nothing: a new registration for each
// sign-in would be a nuisance to the server.
func TestSignIn_questionAnsweredOtherwise_clientIsKept(t *testing.T) {
	t.Parallel()
	negotiate := func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Add("WWW-Authenticate", "Negotiate")
		w.WriteHeader(http.StatusUnauthorized)
	}
	for name, f := range map[string]fault.Fault{
		"alive":          nil,
		"403":            fault.Status(http.StatusForbidden),
		"404":            fault.Status(http.StatusNotFound),
		"429":            fault.Limited("1"),
		"500":            fault.Status(http.StatusInternalServerError),
		"503":            fault.Unavailable(time.Second),
		"page with 200":  fault.Portal(),
		"no answer":      fault.Reset(),
		"other redirect": fault.Redirect("https://login.example"),
		"401, Negotiate": negotiate,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, in := faulty(t)
			old := w.signedOut()
			if f != nil {
				in.Add(sandbox.RoleAccounts, authorizePath, 1, f)
			}
			if cred := w.mustSignIn(); cred.Registration.ClientID != old.Registration.ClientID || w.registrations() != 1 {
				t.Errorf("%d registrations", w.registrations())
			}
			want := 3
			if name == "no answer" {
				want = 4 // net/http asks again where a connection was used before
			}
			w.wantCount("authorization requests", sandbox.Query{Path: authorizePath}, want)
		})
	}
}

// slow is a way to the authorization endpoint on which no answer comes; it notes
// how long it would have been waited for.
type slow struct {
	next   http.RoundTripper
	waited time.Duration
}

func (s *slow) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != authorizePath {
		return s.next.RoundTrip(r)
	}
	if until, ok := r.Context().Deadline(); ok {
		s.waited = time.Until(until)
	}
	return nil, context.DeadlineExceeded
}

// The question has a limit: a person waits for the page.
func TestSignIn_questionNotAnswered_goesOnAfterFiveSeconds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	old := w.signedOut()
	way := &slow{next: w.http.Transport}
	c := w.newClient(func(cfg *auth.Config) { cfg.HTTP = &http.Client{Transport: way} })
	_ = w.meet401(c, "")
	cred, err := c.SignIn(t.Context(), w.prompt())
	if err != nil || cred.Registration.ClientID != old.Registration.ClientID {
		t.Fatal(err)
	}
	w.lastPage()
	if way.waited <= 0 || way.waited > 5*time.Second {
		t.Errorf("it would have waited for %v", way.waited)
	}
}

// Nobody asks about a client that was registered a moment ago, nor about one whose
// grant works.
func TestSignIn_freshClientOrLivingGrant_noQuestion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	cred := w.mustSignIn()
	w.wantCount("authorization requests of the first sign-in", sandbox.Query{Path: authorizePath}, 1)
	wants := []string{`Bearer error="insufficient_scope", scope="read_refunds"`}
	if err := w.client.Rejected(t.Context(), cred.AccessToken, wants); !errors.Is(err, auth.ErrSignInNeeded) {
		t.Fatal(err)
	}
	w.signInKeepingTheChallenge()
	w.wantCount("and of the step-up", sandbox.Query{Path: authorizePath}, 2)
}

// signInKeepingTheChallenge signs in for what the last Rejected was told.
func (w *world) signInKeepingTheChallenge() {
	w.t.Helper()
	if _, err := w.client.SignIn(w.t.Context(), w.prompt()); err != nil {
		w.t.Fatal(err)
	}
	w.lastPage()
}

// purge lets the server forget all clients, at the next request of a path.
func purge(w *world, in *fault.Injector, path string) {
	in.Add(sandbox.RoleAccounts, path, 1, fault.Before(w.sb.PurgeClients))
}

// The server forgets the client while the person is at the page. The browser that
// is held goes on by itself (OAUTH L8).
func TestSignIn_invalidClientAtExchange_sameBrowserGoesOnWithNewClient(t *testing.T) {
	t.Parallel()
	for name, remembered := range map[string]bool{"new client": false, "remembered client": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, in := faulty(t)
			want := 2
			if remembered {
				w.signedOut()
			}
			before := w.sb.Log().Len()
			purge(w, in, "/oauth/token")
			cred := w.mustSignIn() // one browser was opened, and it ended at our last page
			if w.registrations() != want || !cred.SignedIn() {
				t.Errorf("%d registrations, want %d", w.registrations(), want)
			}
			w.wantOnly(cred)
			w.wantCount("exchanges", sandbox.Query{Grant: "authorization_code", After: before}, 2)
			asked := w.sb.Log().Find(sandbox.Query{Path: authorizePath, After: before})
			first, second := asked[len(asked)-2].Form, asked[len(asked)-1].Form
			if first.Get("redirect_uri") != second.Get("redirect_uri") || first.Get("client_id") == second.Get("client_id") {
				t.Errorf("asked with %v, then with %v", first, second)
			}
			if first.Get("state") == second.Get("state") || first.Get("code_challenge") == second.Get("code_challenge") {
				t.Error("state or challenge is used twice")
			}
		})
	}
}

// The sign-in that goes on is sealed before the browser is sent there: a process
// that takes it over has the new client.
func TestSignIn_invalidClientAtExchange_goesOnFromTheStore(t *testing.T) {
	t.Parallel()
	w, in := faulty(t)
	purge(w, in, "/oauth/token")
	rounds := 0
	in.AddIf(func(r fault.Request) bool { return r.Method == http.MethodGet && r.Path == authorizePath }, 2, fault.Before(func() {
		rounds++
		a := w.store.current().Attempt
		if a == nil || a.Renewed != (rounds == 2) || a.Registration.ClientID != w.store.current().Registration.ClientID {
			t.Errorf("round %d: stored %+v", rounds, w.store.current().Summary())
		}
	}))
	w.mustSignIn()
	if rounds != 2 {
		t.Errorf("%d rounds", rounds)
	}
}

// Once: what is refused again is told, and the old login stays.
func TestSignIn_invalidClientTwice_failsWithAdvice(t *testing.T) {
	t.Parallel()
	w, in := faulty(t)
	old := w.mustSignIn()
	in.Add(sandbox.RoleAccounts, "/oauth/token", -1, fault.OAuthError(http.StatusUnauthorized, "invalid_client"))
	_, err := w.signIn()
	if !errors.Is(err, auth.ErrServer) || !strings.Contains(err.Error(), "refused again") || !strings.Contains(hint.Of(err), "--client-secret-file") {
		t.Errorf("err = %v, hint %q", err, hint.Of(err))
	}
	if page := w.lastPage(); !strings.Contains(page.Body, "Sign-in failed") {
		t.Errorf("page = %s", page.Body)
	}
	if w.registrations() != 2 {
		t.Errorf("%d registrations", w.registrations())
	}
	w.wantOnly(old)
}

// The same at the redirect, which only the right issuer may bring (OAUTH A29).
func TestSignIn_invalidClientAtRedirect_registersAgainUnlessFromAnotherServer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		iss  sandbox.Iss
		want int
	}{"from the server": {sandbox.IssRight, 2}, "from another": {sandbox.IssWrong, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{})
			w.sb.Change(func(k *sandbox.Knobs) { k.Login.Error, k.Login.Iss = "unauthorized_client", c.iss })
			if _, err := w.signIn(); !errors.Is(err, auth.ErrServer) {
				t.Errorf("err = %v", err)
			}
			w.lastPage()
			if w.registrations() != c.want {
				t.Errorf("%d registrations, want %d", w.registrations(), c.want)
			}
		})
	}
}

// A person far away is shown the new address, and told why.
func TestSignIn_invalidClientAtExchange_pastedFlowShowsNewAddress(t *testing.T) {
	t.Parallel()
	w, in := faulty(t)
	purge(w, in, "/oauth/token")
	r := w.remote()
	first := w.far(r.url)
	r.paste <- first
	if err := <-r.refused; !strings.Contains(err.Error(), "registered again") || !strings.Contains(hint.Of(err), "new address") {
		t.Errorf("told %v, %q", err, hint.Of(err))
	}
	again := <-r.again
	if again == r.url {
		t.Fatal("the same address again")
	}
	r.paste <- first
	if err := <-r.refused; !strings.Contains(err.Error(), "another sign-in") {
		t.Errorf("the first answer again: %v", err)
	}
	r.paste <- w.far(again)
	if err := <-r.done; err != nil {
		t.Fatal(err)
	}
	if w.registrations() != 2 {
		t.Errorf("%d registrations", w.registrations())
	}
}

// OAUTH L8 at a refresh: the registration goes with the grant, and the next sign-in
// has nothing to ask about.
func TestToken_invalidClient_nextSignInRegisters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	old := w.mustSignIn()
	w.sb.PurgeClients()
	w.clock.advance(3 * time.Hour)
	if token := w.token(); token != "" {
		t.Error("a token of a client that is gone")
	}
	if cur := w.store.current(); cur.SignedIn() || cur.Registration.ClientID != "" || cur.Account != old.Account {
		t.Errorf("stored %+v", cur.Summary())
	}
	before := w.sb.Log().Len()
	w.mustSignIn()
	w.wantCount("authorization requests", sandbox.Query{Path: authorizePath, After: before}, 1)
	if w.registrations() != 2 {
		t.Errorf("%d registrations", w.registrations())
	}
}

// A server that asks for the person's login first shows the dead client only then,
// and nobody tells us. The sign-in after the one that nobody finished registers.
func TestSignIn_deadClientSeenByThePersonOnly_nextSignInRegisters(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dead bool
		want int
	}{"dead": {true, 2}, "alive, and left": {false, 2}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{})
			w.signedOut()
			w.sb.Change(func(k *sandbox.Knobs) { k.Login.SignInFirst = true })
			if c.dead {
				w.sb.PurgeClients()
			} else {
				w.sb.SetOutcome(sandbox.OutcomeWrongState) // nothing comes back that counts
			}
			brief := w.newClient(func(cfg *auth.Config) { cfg.SignInLimit = 2 * time.Second })
			_ = w.meet401(brief, "")
			_, err := brief.SignIn(t.Context(), w.prompt())
			if !errors.Is(err, auth.ErrTimeout) || !strings.Contains(hint.Of(err), "registers this program again") {
				t.Errorf("err = %v, hint %q", err, hint.Of(err))
			}
			w.lastPage()
			w.sb.SetOutcome(sandbox.OutcomeAsChosen)
			w.mustSignIn()
			if w.registrations() != c.want {
				t.Errorf("%d registrations, want %d", w.registrations(), c.want)
			}
		})
	}
}
