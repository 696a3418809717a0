package auth_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// far is a browser on another computer: it ends at the redirect, whose address
// stands in its address bar.
func (w *world) far(start string) string {
	w.t.Helper()
	var last string
	v := w.person
	v.Client = w.browser()
	v.Client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/callback" {
			last = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	if _, err := v.Visit(w.t.Context(), start); err != nil {
		w.t.Fatal(err)
	}
	return last
}

// remote is a sign-in of a person whose browser is far away.
type remote struct {
	url     string
	again   chan string // addresses shown later
	paste   chan string
	refused chan error
	done    chan error
}

func (w *world) remote() *remote {
	w.t.Helper()
	r := &remote{paste: make(chan string), refused: make(chan error, 1), done: make(chan error, 1)}
	shown := make(chan string, 2)
	r.again = shown
	_ = w.meet401(w.client, "")
	go func() {
		_, err := w.client.SignIn(w.t.Context(), auth.Prompt{
			Anew: true, Show: func(url string, _ error) { shown <- url },
			Pasted: r.paste, Refuse: func(err error) { r.refused <- err },
		})
		r.done <- err
	}()
	r.url = <-shown
	return r
}

// OAUTH section 5, "no browser".
func TestSignIn_pasted_signedIn(t *testing.T) {
	t.Parallel()
	for name, dress := range map[string]func(string) string{
		"plain":  func(s string) string { return s },
		"quoted": func(s string) string { return " \t'" + s + "' \r\n" },
		"angles": func(s string) string { return "<" + s + ">" },
		"anchor": func(s string) string { return s + "#" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{})
			r := w.remote()
			r.paste <- dress(w.far(r.url))
			if err := <-r.done; err != nil {
				t.Fatal(err)
			}
			if cur := w.store.current(); !cur.SignedIn() || cur.Attempt != nil {
				t.Errorf("stored: %+v", cur.Summary())
			}
		})
	}
}

func TestSignIn_wrongThingPasted_helpsAndWaitsOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	r := w.remote()
	good := w.far(r.url)
	u, err := url.Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(q url.Values)) string {
		v, q := *u, u.Query()
		change(q)
		v.RawQuery = q.Encode()
		return v.String()
	}
	for name, c := range map[string]struct{ text, advice string }{
		"nonsense":         {"where is it", "copy the whole address"},
		"a code alone":     {u.Query().Get("code"), "copy the whole address"},
		"control":          {"http://127.0.0.1\x00/callback", "copy the whole address"},
		"first address":    {r.url, "the address to open"},
		"other host":       {strings.Replace(good, "127.0.0.1", "localhost", 1), "copy the whole address"},
		"other path":       {strings.Replace(good, "/callback", "/done", 1), "copy the whole address"},
		"other port":       {strings.Replace(good, u.Port(), "1", 1), "copy the whole address"},
		"without query":    {u.Scheme + "://" + u.Host + u.Path, "the address that is shown above"},
		"old state":        {with(func(q url.Values) { q.Set("state", "of-another-sign-in") }), "the address that is shown above"},
		"two states":       {with(func(q url.Values) { q.Add("state", q.Get("state")) }), "the address that is shown above"},
		"error, old state": {with(func(q url.Values) { q.Del("code"); q.Set("error", "access_denied"); q.Set("state", "x") }), "the address that is shown above"},
	} {
		r.paste <- c.text
		select {
		case err := <-r.refused:
			if !strings.Contains(hint.Of(err), c.advice) {
				t.Errorf("%s: %v, hint %q", name, err, hint.Of(err))
			}
			if strings.Contains(err.Error()+hint.Of(err), u.Query().Get("code")) {
				t.Errorf("%s: the code is repeated", name)
			}
		case err := <-r.done:
			t.Fatalf("%s: the sign-in ended: %v", name, err)
		}
	}
	close(r.paste) // the end of the input ends nothing
	w.t.Log("still open")
	v := w.person
	v.Client = w.browser()
	if _, err := v.Visit(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	if err := <-r.done; err != nil {
		t.Error(err)
	}
}

// The same order of checks as at the callback: state, iss, then error or code.
func TestSignIn_pastedAnswerOfServer_decides(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(q url.Values)
		want   error
	}{
		"denied":     {func(q url.Values) { q.Del("code"); q.Set("error", "access_denied") }, auth.ErrDenied},
		"other iss":  {func(q url.Values) { q.Set("iss", "https://evil.example"); q.Set("error", "access_denied") }, auth.ErrServer},
		"no code":    {func(q url.Values) { q.Del("code") }, auth.ErrServer},
		"wrong code": {func(q url.Values) { q.Set("code", "guessed") }, auth.ErrServer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Options{})
			r := w.remote()
			u, err := url.Parse(w.far(r.url))
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			c.change(q)
			u.RawQuery = q.Encode()
			r.paste <- u.String()
			if err := <-r.done; !errors.Is(err, c.want) {
				t.Errorf("err = %v", err)
			}
			if w.store.current().Attempt != nil {
				t.Error("the attempt is still there")
			}
		})
	}
}

// A flow that is bound to a browser is not finished by anything else.
func TestSignIn_pastedIntoBoundFlow_notRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	paste := make(chan string, 1)
	paste <- "anything"
	p := w.prompt()
	p.Pasted = paste
	if _, err := w.signInWith(p); err != nil {
		t.Fatal(err)
	}
	w.lastPage()
	if len(paste) != 1 {
		t.Error("it was read")
	}
}
