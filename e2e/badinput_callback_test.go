package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// forgery is what the listener answered to callbacks that were not the one.
type forgery struct {
	Before map[string]int // status, by what was sent before the real callback
	After  map[string]int // and after it
}

// forge is an opener in whose browser other pages and programs call back too.
func forge(args []string) int {
	ctx, cancel := context.WithTimeout(context.Background(), commandLimit)
	defer cancel()
	f := &forger{seen: forgery{map[string]int{}, map[string]int{}}}
	page, err := sandbox.Visitor{Client: &http.Client{Transport: f}}.Visit(ctx, args[1])
	data, jsonErr := json.Marshal(f.seen)
	if jsonErr != nil || os.WriteFile(args[0], data, 0o600) != nil || err != nil || page.Status != http.StatusOK {
		return 1
	}
	return 0
}

type forger struct{ seen forgery }

// RoundTrip sends the forgeries around the real callback.
func (f *forger) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != "/callback" {
		return http.DefaultTransport.RoundTrip(r)
	}
	f.before(r)
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		f.seen.After["the same again"] = callBack(r, r.URL.RawQuery, true)
		f.seen.After["another code"] = callBack(r, url.Values{"code": {"forged"}, "state": r.URL.Query()["state"]}.Encode(), true)
		f.seen.After["an error"] = callBack(r, url.Values{"error": {"access_denied"}, "state": r.URL.Query()["state"]}.Encode(), true)
	}
	return answer, err
}

func (f *forger) before(r *http.Request) {
	genuine := r.URL.Query()
	with := func(changes ...string) string {
		q := url.Values{"code": genuine["code"], "state": genuine["state"]}
		for i := 0; i+1 < len(changes); i += 2 {
			q.Set(changes[i], changes[i+1])
		}
		return q.Encode()
	}
	for name, query := range map[string]string{
		"nothing":            "",
		"no state":           url.Values{"code": genuine["code"]}.Encode(),
		"wrong state":        with("state", "forged"),
		"empty state":        with("state", ""),
		"longer state":       with("state", genuine.Get("state")+"x"),
		"two states":         with() + "&state=forged",
		"error, wrong state": url.Values{"error": {"access_denied"}, "state": {"forged"}}.Encode(),
		"error, no state":    url.Values{"error": {"access_denied"}}.Encode(),
	} {
		f.seen.Before[name] = callBack(r, query, true)
	}
	f.seen.Before["the right one from another browser"] = callBack(r, r.URL.RawQuery, false)
	for name, change := range disguises() {
		c := r.Clone(r.Context())
		change(c)
		f.seen.Before[name] = callBack(c, with("code", "forged"), true)
	}
}

// disguises are callbacks that know the state and have the cookie, and come in
// another way than the person's browser does.
func disguises() map[string]func(*http.Request) {
	return map[string]func(*http.Request){
		"403 name that points here": func(r *http.Request) { r.Host = "evil.example" },
		"403 localhost":             func(r *http.Request) { r.Host = "localhost:" + r.URL.Port() },
		"405 POST":                  func(r *http.Request) { r.Method = http.MethodPost },
		"405 HEAD":                  func(r *http.Request) { r.Method = http.MethodHead },
		"405 OPTIONS":               func(r *http.Request) { r.Method = http.MethodOptions },
		"404 slash behind":          func(r *http.Request) { r.URL.Path += "/" },
		"404 two slashes":           func(r *http.Request) { r.URL.Path = "/" + r.URL.Path },
		"404 encoded":               func(r *http.Request) { r.URL.RawPath = "/%63allback" },
		"204 prefetch":              func(r *http.Request) { r.Header.Set("Sec-Purpose", "prefetch") },
	}
}

// callBack sends a callback like r with another query, and with its cookies or not.
func callBack(r *http.Request, query string, cookies bool) int {
	c := r.Clone(r.Context())
	c.URL.RawQuery = query
	if !cookies {
		c.Header.Del("Cookie")
	}
	resp, err := http.DefaultTransport.RoundTrip(c)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// Whoever calls back with a wrong state does not end the sign-in, and who comes
// second does not change it (STYLE D6, OAUTH X10).
//
//oauth:row X10 auth/loopback/handler.go "r.Host != l.host(), r.URL.IsAbs()" => "false"
//oauth:row X10 auth/loopback/handler.go "if !l.flow.Accept(q) {" => "if l.flow.Accept(nil) {"
//oauth:row X27 auth/loopback/listener.go "first := !l.used" => "first := true"
func TestBadInput_forgedCallbacks_realOneSignsIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sb := startSandbox(t, sandbox.Options{})
	file := w.path("logs", "forgery.json")
	w.actor("forge", file)
	w.must(w.payu("login", "--url", sb.Endpoint(), "--store=file"), 0)

	w.eventually("the browser ends", commandLimit, func() bool { _, err := os.Stat(file); return err == nil })
	data, err := os.ReadFile(file)
	var seen forgery
	if err != nil || json.Unmarshal(data, &seen) != nil {
		t.Fatalf("the browser noted nothing (%v): %s", err, data)
	}
	if len(seen.Before) != 18 || len(seen.After) != 3 {
		t.Errorf("forgeries: %+v", seen)
	}
	for name, code := range seen.Before {
		want := http.StatusBadRequest
		_, _ = fmt.Sscan(name, &want) // those in disguise say it
		if code != want {
			t.Errorf("%s was answered %d, want %d", name, code, want)
		}
	}
	for name, code := range seen.After {
		if !slices.Contains([]int{http.StatusBadRequest, http.StatusConflict}, code) {
			t.Errorf("after the sign-in, %s was answered %d", name, code)
		}
	}
	if n := sb.Log().Count(sandbox.Query{Path: "/oauth/token"}); n != 1 {
		t.Errorf("%d token requests, want 1", n)
	}
	if r := w.must(w.payu("status"), 0); !strings.Contains(r.stdout, "login         valid") {
		t.Errorf("status: %s", r.stdout)
	}
	w.nothingLeft()
	w.noLeaks(sb.Secrets())
}
