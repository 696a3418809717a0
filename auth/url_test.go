package auth

import (
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/hint"
)

func TestCheckEndpoint_table(t *testing.T) {
	t.Parallel()
	for raw, ok := range map[string]bool{
		"https://api.payu.in/mcp": true, "https://mcp.example": true, "https://mcp.example:8443/a/b": true,
		"http://127.0.0.1:9/mcp": true, "http://localhost:9/mcp": true, "http://[::1]:9/mcp": true,
		"https://[fe80::1%25x.payu.in]/mcp": false, "http://api.payu.in/mcp": false, "http://10.0.0.1/mcp": false, "http://localhost.evil.example/": false,
		"ftp://api.payu.in/mcp": false, "file:///etc/passwd": false, "javascript:alert(1)": false, "api.payu.in/mcp": false,
		"": false, "https://": false, "https:///mcp": false, "//api.payu.in/mcp": false, "https://user:pw@api.payu.in/mcp": false,
		"https://api.payu.in/mcp?x=1": false, "https://api.payu.in/mcp#f": false, "https://api.payu.in/m cp": false,
		"https://api.payu.in/\nmcp": false, `https:\\api.payu.in\mcp`: false, "https://api.payu.in/%zz": false, " https://api.payu.in": false,
	} {
		err := CheckEndpoint(raw)
		if (err == nil) != ok {
			t.Errorf("CheckEndpoint(%q) = %v", raw, err)
		}
		if err != nil && (hint.Of(err) == "" || strings.Contains(err.Error(), "pw")) {
			t.Errorf("CheckEndpoint(%q): error %q, hint %q", raw, err, hint.Of(err))
		}
	}
}

// OAUTH X1: what may not reach an opener.
func TestCheckURL_evilAuthorizationEndpoints_refused(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"javascript:alert(1)", "JavaScript://x/%0aalert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "file://localhost/etc/passwd",
		"smb://host/share", "smb://localhost/x", `\\host\x`, "vscode://x", "vscode://localhost/x", "ms-msdt:/id", "ms-settings:", "search-ms:x",
		"about:blank", "chrome://settings", "view-source:https://x", "ftp://x/", "ssh://x/", "tel:1", "mailto:a@b", "--help", "-a", "x", "/etc/passwd",
		"http://accounts.payu.in/", "http://169.254.169.254/", "http://0.0.0.0/", "http://2130706433/", "http:/127.0.0.1", "http:///x",
		"https://a@b/", "https://a:b@c/", "https://\x00/", "https://x/\r\nHost: y", "https://x/\t", "https://x/\x7f", "HTTP://example.com/",
		"https:", "https://", "https:opaque", "://x", "%68ttps://x",
	} {
		if u, err := checkURL(raw, true); err == nil {
			t.Errorf("checkURL(%q) = %v", raw, u)
		}
	}
}

func TestIsParent_table(t *testing.T) {
	t.Parallel()
	const endpoint = "https://h.example/a/mcp"
	for parent, want := range map[string]bool{
		"https://h.example": true, "https://h.example/": true, "https://h.example/a": true, "https://h.example/a/": true, "https://h.example/a/mcp/": true,
		"https://h.example/a/m": false, "https://h.example/b": false, "https://other.example": false, "http://h.example": false, "https://h.example:8443": false,
		"https://h.example/a/mcp/x": false, "https://h.example?x": false, "https://h.example#f": false, "https://u@h.example": false, "": false,
	} {
		if got := isParent(parent, endpoint); got != want {
			t.Errorf("isParent(%q) = %v", parent, got)
		}
	}
}

// OAUTH Y2.
func TestCheckPin_table(t *testing.T) {
	t.Parallel()
	for raw, ok := range map[string]bool{
		"https://accounts.payu.in/oauth/authorize": true, "https://payu.in/x": true, "https://api.payu.in:443/x": true, "https://ACCOUNTS.payu.in/x": true,
		"https://payu.in.evil.example/x": false, "https://evilpayu.in/x": false, "https://accounts.payu.in:8443/x": false, "https://accounts.payu.com/x": false,
	} {
		u, err := checkURL(raw, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkPin(PayUEndpoint, "token", u); (err == nil) != ok {
			t.Errorf("checkPin(%q) = %v", raw, err)
		}
		if err := checkPin("https://other.example/mcp", "token", u); err != nil {
			t.Errorf("another resource is pinned: %v", err)
		}
	}
}

func TestClean_terminalEscapes_removed(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain": "plain", "a\x1b[31mb": "a [31mb", "x\r\ny": "x y", "a\u202eb": "a b", "\u0085c": "c", "tab\there": "tab here", "bad\xffutf": "bad utf",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
	if got := clean(strings.Repeat("é", 1000)); len([]rune(got)) != maxServerText+3 {
		t.Errorf("length %d", len([]rune(got)))
	}
}

func TestCheckPage_saysWhereItLeads(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://accounts.payu.in/kyc?a=b#c": "accounts.payu.in",
		"https://shop.example:8443/":         "shop.example:8443",
		"http://127.0.0.1/":                  "", // a page of this computer is nobody's to name
		"https://payu.in@evil.example/":      "",
		"https://p\u0430yu.in/":              "",
		"":                                   "",
	} {
		if got, err := CheckPage(raw); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", raw, got, err)
		}
	}
}
