package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/diagnose"
)

// The endpoint may be excepted from the proxy, and its sign-in not: a fault of the
// one is not told of with the way of the other. net/http reads the variables once
// per process, so this is one of its own.
func TestWay_proxyForTheSignInOnly_each(t *testing.T) {
	t.Parallel()
	const child, proxy = "PAYU_TEST_WAY", "http://proxy.office:3128"
	if os.Getenv(child) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), child+"=1", "HTTPS_PROXY=http://user:s3cret@proxy.office:3128", "no_proxy=", "NO_PROXY=api.payu.in") // one and the same on Windows: the last counts
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	d := &doctor{e: env{getenv: os.Getenv}, o: &options{}, p: &parts{endpoint: auth.PayUEndpoint}}
	if way, dialled := d.way(auth.PayUEndpoint); way.Proxy != "" || dialled != "api.payu.in" {
		t.Errorf("the endpoint: %+v, %s", way, dialled)
	}
	want := diagnose.Way{Proxy: proxy, From: "HTTPS_PROXY"}
	if way, dialled := d.way("https://accounts.payu.in/token"); way != want || dialled != "proxy.office" {
		t.Errorf("the sign-in: %+v, %s", way, dialled)
	}
}
