package loopback_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/auth/loopback"
)

// dial connects to the listener as a program that is no browser does.
func dial(t *testing.T, ln *loopback.Listener) net.Conn {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", ln.Port()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn
}

// raw sends bytes as they are and returns all that comes back.
func raw(t *testing.T, ln *loopback.Listener, request string) string {
	t.Helper()
	conn := dial(t, ln)
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(conn) // the last of a refused one may be a reset
	_ = conn.Close()
	return string(answer)
}

// statuses are the status codes of the answers in a connection's bytes.
func statuses(answer string) string {
	var all []string
	for lines := bufio.NewScanner(strings.NewReader(answer)); lines.Scan(); {
		if f := strings.Fields(lines.Text()); len(f) > 1 && strings.HasPrefix(f[0], "HTTP/1.") {
			all = append(all, f[1])
		}
	}
	return strings.Join(all, " ")
}

// forgeries has requests, each with what it is answered. Most of them know the
// state: what is wrong is how they come.
func forgeries(ln *loopback.Listener, nonce string) map[string][2]string {
	host := fmt.Sprintf("127.0.0.1:%d", ln.Port())
	const query = "?code=forged&state=" + goodState
	with := func(method, target, version string, headers ...string) string {
		return method + " " + target + " " + version + "\r\n" + strings.Join(append(headers, "", ""), "\r\n")
	}
	get := func(target string, headers ...string) string {
		return with("GET", target, "HTTP/1.1", append([]string{"Host: " + host}, headers...)...)
	}
	from := func(host string) string { return with("GET", "/callback"+query, "HTTP/1.1", "Host: "+host) }
	all := map[string][2]string{
		"no query":                {get("/callback"), "400"},
		"no state":                {get("/callback?code=forged"), "400"},
		"empty state":             {get("/callback?code=forged&state="), "400"},
		"wrong state":             {get("/callback?code=forged&state=guess"), "400"},
		"longer state":            {get("/callback" + query + "x"), "400"},
		"state in another name":   {get("/callback?code=forged&State=" + goodState), "400"},
		"error without state":     {get("/callback?error=access_denied"), "400"},
		"rebound name":            {from("evil.example"), "403"},
		"rebound name, our port":  {from(fmt.Sprintf("evil.example:%d", ln.Port())), "403"},
		"localhost":               {from(fmt.Sprintf("localhost:%d", ln.Port())), "403"},
		"address without port":    {from("127.0.0.1"), "403"},
		"address with a dot":      {from(fmt.Sprintf("127.0.0.1.:%d", ln.Port())), "403"},
		"address as a number":     {from(fmt.Sprintf("2130706433:%d", ln.Port())), "403"},
		"address of IPv6":         {from(fmt.Sprintf("[::ffff:127.0.0.1]:%d", ln.Port())), "403"},
		"another port":            {from("127.0.0.1:1"), "403"},
		"empty host":              {from(""), "403"},
		"no host, HTTP/1.0":       {with("GET", "/callback"+query, "HTTP/1.0"), "403"},
		"no host, HTTP/1.1":       {with("GET", "/callback"+query, "HTTP/1.1"), "400"},
		"two hosts":               {get("/callback"+query, "Host: evil.example"), "400"},
		"absolute, our host":      {get("http://" + host + "/callback" + query), "403"},
		"absolute, evil host":     {get("http://evil.example/callback" + query), "403"},
		"absolute, https":         {get("https://" + host + "/callback" + query), "403"},
		"other path":              {get("/callback/x" + query), "404"},
		"slash behind":            {get("/callback/" + query), "404"},
		"two slashes":             {get("//callback" + query), "404"},
		"dot":                     {get("/./callback" + query), "404"},
		"encoded dot":             {get("/%2e/callback" + query), "404"},
		"up and down":             {get("/x/../callback" + query), "404"},
		"encoded letter":          {get("/%63allback" + query), "404"},
		"capitals":                {get("/CALLBACK" + query), "404"},
		"parameter of the path":   {get("/callback;x" + query), "404"},
		"blank behind":            {get("/callback%20" + query), "404"},
		"root":                    {get("/"), "404"},
		"done too soon":           {get("/done"), "404"},
		"start guessed":           {get("/start/AAAA"), "404"},
		"start, nothing":          {get("/start/"), "404"},
		"start, path behind":      {get("/start/" + nonce + "/x"), "404"},
		"start, two slashes":      {get("/start//" + nonce), "404"},
		"start, encoded letter":   {get(fmt.Sprintf("/start/%%%X%s", nonce[0], nonce[1:])), "404"},
		"prefetch":                {get("/callback"+query, "Sec-Purpose: prefetch;prerender"), "204"},
		"prefetch, as it was":     {get("/callback"+query, "Purpose: prefetch"), "204"},
		"prefetch, Firefox":       {get("/callback"+query, "X-Moz: prefetch"), "204"},
		"favicon":                 {get("/favicon.ico"), "204"},
		"a body that is a second": {get("/callback?code=forged", "Content-Length: 5") + "GET /", "400"},
		"pipelined":               {get("/callback?state=guess") + get("/callback"+query), "400"},
		"header too large":        {get("/callback"+query, "X: "+strings.Repeat("a", 64<<10)), "431"},
	}
	for _, method := range []string{"POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "get"} {
		all["method "+method] = [2]string{with(method, "/callback"+query, "HTTP/1.1", "Host: "+host, "Content-Length: 0"), "405"}
	}
	return all
}

// Whatever calls back in a way that the authorization server's redirect in the
// person's browser does not is refused, and the right one still counts.
//
//oauth:row X10 auth/loopback/handler.go "r.Host != l.host(), r.URL.IsAbs()" => "false"
//oauth:row X10 auth/loopback/handler.go "r.URL.EscapedPath()" => "r.URL.Path"
//oauth:row X10 auth/loopback/handler.go "if !l.flow.Accept(q) {" => "if l.flow.Accept(nil) {"
//oauth:row X10 auth/loopback/handler.go "case isPrefetch(r):" => "case false:"
//oauth:row X10 auth/loopback/handler.go "case r.Method != http.MethodGet:" => "case r.Method == http.MethodPut:"
func TestCallback_forgedRequests_refusedAndRealOneStillCounts(t *testing.T) {
	t.Parallel()
	ln := start(t, false)
	_, nonce, _ := strings.Cut(ln.StartURL(), "/start/")
	for name, c := range forgeries(ln, nonce) {
		if got := statuses(raw(t, ln, c[0])); got != c[1] {
			t.Errorf("%s: answered %q, want %s", name, got, c[1])
		}
	}
	got := make(chan reply, 1)
	c := browser(t)
	go func() { got <- get(t, c, ln.RedirectURI()+"?code=c&state="+goodState) }()
	if q := wait(t, ln); q.Get("code") != "c" {
		t.Errorf("the real callback = %v", q)
	}
	ln.Finish(loopback.Page{Kind: loopback.KindSuccess, Title: "ok"})
	<-got
}

// evil is what a page must never repeat.
const evil = `<script>alert("reflected")</script>`

// everywhere asks for a path with evil in every place of the request that a
// stranger could fill.
func everywhere(ln *loopback.Listener, path string) string {
	q := url.QueryEscape(evil)
	query := "?code=" + q + "&state=" + goodState + q + "&error=" + q + "&error_description=" + q + "&iss=" + q + "&" + q + "=" + q
	return "GET " + path + query + " HTTP/1.1\r\nHost: 127.0.0.1:" + fmt.Sprint(ln.Port()) +
		"\r\nCookie: payu_mcp_x=" + evil + "; " + evil + "\r\nUser-Agent: " + evil + "\r\nReferer: http://x/" + evil +
		"\r\nOrigin: " + evil + "\r\nAccept-Language: " + evil + "\r\nX-Forwarded-Host: " + evil + "\r\n\r\n"
}

// No page repeats anything of a request, in whatever state the sign-in is.
//
//oauth:row X12 auth/loopback/handler.go "l.show(w, http.StatusBadRequest, wrongState)" => "_, _ = w.Write([]byte(q.Get(`error`)))"
//oauth:row X12 internal/markup/markup.go `html.EscapeString(strings.ReplaceAll(` => `html.UnescapeString(strings.ReplaceAll(`
func TestPages_scriptEverywhere_notReflected(t *testing.T) {
	t.Parallel()
	ln := start(t, false)
	q := url.PathEscape(evil)
	check := func(state string) {
		t.Helper()
		for _, path := range []string{"/callback", "/done", "/" + q, "/start/" + q, "/callback/" + q, "/callback" + q, "//" + q, "/favicon.ico"} {
			answer := raw(t, ln, everywhere(ln, path))
			if strings.Contains(answer, "reflected") || statuses(answer) == "" {
				t.Errorf("%s, %s: %s", state, path, answer)
			}
		}
		for name, request := range map[string]string{
			"host":    "GET /callback HTTP/1.1\r\nHost: " + q + "\r\n\r\n",
			"method":  q + " / HTTP/1.1\r\nHost: x\r\n\r\n",
			"version": "GET / " + evil + "\r\nHost: x\r\n\r\n",
			"header":  "GET / HTTP/1.1\r\nHost: x\r\n" + evil + ": x\r\n\r\n",
			"line":    evil + "\r\n\r\n",
		} {
			if answer := raw(t, ln, request); strings.Contains(answer, "reflected") {
				t.Errorf("%s, %s: %s", state, name, answer)
			}
		}
	}
	check("open")
	held := make(chan reply, 1)
	own := browser(t)
	go func() { held <- get(t, own, ln.RedirectURI()+"?code=c&state="+goodState) }()
	wait(t, ln)
	check("answered")
	ln.Finish(loopback.Page{Kind: loopback.KindFailed, Title: "Failed", Lines: []string{evil}, Facts: []loopback.Fact{{Name: "Account", Values: []string{evil}}}})
	if r := <-held; strings.Contains(r.body, evil) || strings.Count(r.body, "&lt;script&gt;") != 2 {
		t.Errorf("what the caller says is not escaped: %s", r.body)
	}
	ln.Linger(time.Minute)
	check("too late")
}

// What a page may do is settled by its headers: nothing.
//
//oauth:row X12 auth/loopback/pages.go "default-src 'none'; " => ""
func TestPages_everyAnswer_strictHeaders(t *testing.T) {
	t.Parallel()
	ln := start(t, false)
	for _, path := range []string{"/", "/callback", "/done", "/favicon.ico"} {
		checkHeaders(t, get(t, browser(t), fmt.Sprintf("http://127.0.0.1:%d%s", ln.Port(), path)).header)
	}
	r := get(t, browser(t), ln.StartURL()[:len(ln.StartURL())-1])
	if strings.Contains(r.body, "<script") || strings.Contains(r.body, "style=") || strings.Contains(r.body, "src=") || r.code != http.StatusNotFound {
		t.Errorf("page = %d %s", r.code, r.body)
	}
}
