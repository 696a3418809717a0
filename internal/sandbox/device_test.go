package sandbox_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

type deviceCode struct {
	Secret string `json:"device_code"`
	Code   string `json:"user_code"`
	Page   string `json:"verification_uri"`
	Link   string `json:"verification_uri_complete"`
	Life   int    `json:"expires_in"`
	Pause  int    `json:"interval"`
	Error  string `json:"error"`
	status int
}

func (a *app) deviceCode(change url.Values) deviceCode {
	a.t.Helper()
	form := url.Values{"client_id": {a.id}, "resource": {a.sb.Endpoint()}}
	maps.Copy(form, change)
	resp := a.do(http.MethodPost, a.sb.AccountsOrigin()+"/oauth/device_authorization", "application/x-www-form-urlencoded", form.Encode())
	got := deviceCode{status: resp.StatusCode}
	_ = json.NewDecoder(resp.Body).Decode(&got)
	return got
}

func (a *app) askFor(secret string) tokens {
	a.t.Helper()
	return a.token(url.Values{"grant_type": {deviceGrant}, "device_code": {secret}})
}

// RFC 8628: the code's whole life, with a person who walks through the pages.
func TestDevice_personDecides_tokensOrDenied(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		visitor sandbox.Visitor
		byHand  bool
		want    string // the error at the end
		page    string
	}{
		"by link":      {sandbox.Visitor{User: "B"}, false, "", "Access allowed"},
		"by hand":      {sandbox.Visitor{User: "B"}, true, "", "Access allowed"},
		"denied":       {sandbox.Visitor{User: "B", Deny: true}, false, "access_denied", "Access denied"},
		"not enabled":  {sandbox.Visitor{User: "C"}, false, "access_denied", "Access denied"},
		"another code": {sandbox.Visitor{Code: "XXXX-XXXX"}, true, "authorization_pending", "No sign-in waits for this code"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clk := newClock()
			sb := start(t, sandbox.Options{Now: clk.now, Knobs: sandbox.Knobs{Device: sandbox.DeviceKnobs{Offered: true, NoLink: c.byHand}}})
			a := newApp(t, sb)
			d := a.deviceCode(nil)
			if d.status != http.StatusOK || d.Pause != 5 || d.Life != 600 || (d.Link == "") != c.byHand {
				t.Fatalf("code: %+v", d)
			}
			if got := a.askFor(d.Secret); got.Error != "authorization_pending" {
				t.Errorf("at first: %q", got.Error)
			}
			at := d.Link
			if c.byHand {
				at = d.Page
				if c.visitor.Code == "" {
					c.visitor.Code = strings.ToLower(d.Code)
				}
			}
			c.visitor.Client = sb.HTTPClient()
			page, err := c.visitor.Visit(limit(t), at)
			if err != nil || !strings.Contains(page.Body, c.page) {
				t.Errorf("page: %v %s", err, page.Body)
			}
			clk.pass(5 * time.Second)
			got := a.askFor(d.Secret)
			if got.Error != c.want || (c.want == "") != (got.Access != "" && got.Refresh != "") {
				t.Errorf("at the end: %q", got.Error)
			}
			if again := a.askFor(d.Secret); c.want == "" && again.Error != "invalid_grant" {
				t.Errorf("again: %q", again.Error)
			}
		})
	}
}

func TestDevice_askedTooOften_slowDown(t *testing.T) {
	t.Parallel()
	clk := newClock()
	sb := start(t, sandbox.Options{Now: clk.now, Knobs: sandbox.Knobs{Device: sandbox.DeviceKnobs{Offered: true, Life: time.Minute}}})
	a := newApp(t, sb)
	d := a.deviceCode(nil)
	for i, step := range []struct {
		wait time.Duration
		want string
	}{
		{0, "authorization_pending"},
		{4 * time.Second, "slow_down"},
		{5 * time.Second, "slow_down"}, // now it wants 10 s, and then 15 s
		{15 * time.Second, "authorization_pending"},
		{time.Minute, "expired_token"},
	} {
		clk.pass(step.wait)
		if got := a.askFor(d.Secret); got.Error != step.want {
			t.Errorf("step %d: %q, want %q", i, got.Error, step.want)
		}
	}
}

func TestDevice_badRequest_refused(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	a := newApp(t, sb)
	if got := a.deviceCode(nil); got.status != http.StatusNotFound {
		t.Errorf("off: %d", got.status)
	}
	sb.Change(func(k *sandbox.Knobs) { k.Device.Offered = true })
	sb.AddClient(sandbox.Client{ID: "browser only", GrantTypes: []string{"authorization_code"}})
	for want, change := range map[string]url.Values{
		"invalid_client":      {"client_id": {"nobody"}},
		"unauthorized_client": {"client_id": {"browser only"}},
		"invalid_target":      {"resource": {"https://elsewhere.example/mcp"}},
	} {
		if got := a.deviceCode(change); got.Error != want {
			t.Errorf("%s: %d %q", want, got.status, got.Error)
		}
	}
	other := *a
	other.id = "other"
	sb.AddClient(sandbox.Client{ID: "other"})
	if got := other.askFor(a.deviceCode(nil).Secret); got.Error != "invalid_grant" {
		t.Errorf("another client's code: %q", got.Error)
	}
}
