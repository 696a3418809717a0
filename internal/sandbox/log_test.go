package sandbox_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

func TestLog_requests_recordedWithoutSecrets(t *testing.T) {
	t.Parallel()
	c := newClock()
	sb := start(t, sandbox.Options{Now: c.now})
	a := newApp(t, sb)
	got := a.signIn()
	a.refresh(got.Refresh)
	h := &host{t: t, sb: sb, http: a.http, token: got.Access}
	const body = `{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"health_check"}}`
	read(t, h.send(http.MethodPost, body, "X-Request-Id", "r1", "Mcp-Protocol-Version", "2025-11-25"))

	all := sb.Log().Entries()
	if len(all) != 4 || sb.Log().Len() != 4 {
		t.Fatal(len(all))
	}
	authorize, exchange, refresh, call := all[0], all[1], all[2], all[3]
	if authorize.Form.Get("resource") != sb.Endpoint() || authorize.Form.Get("state") != "the-state" || authorize.Status != http.StatusFound || authorize.Role != sandbox.RoleAccounts {
		t.Errorf("%+v", authorize)
	}
	if exchange.Grant() != "authorization_code" || !strings.HasPrefix(exchange.Form.Get("code"), "secret #") || !strings.HasPrefix(exchange.Form.Get("code_verifier"), "secret #") {
		t.Errorf("%+v", exchange)
	}
	if refresh.Grant() != "refresh_token" || refresh.Form.Get("client_id") != "app" {
		t.Errorf("%+v", refresh)
	}
	sum := sha256.Sum256([]byte(body))
	if call.N != 4 || !call.Time.Equal(c.now()) || call.Role != sandbox.RoleResource || call.RPC != "tools/call" || call.ID != "9007199254740993" ||
		call.Tool != "health_check" || call.BodyHash != hex.EncodeToString(sum[:]) || call.BodySize != len(body) || call.Status != http.StatusOK ||
		call.Header.Get("X-Request-Id") != "r1" || call.Header.Get("Mcp-Protocol-Version") != "2025-11-25" {
		t.Errorf("%+v", call)
	}
	if n := slices.Index(sb.Secrets(), got.Access); call.Authorization != "token #"+strconv.Itoa(n+1) {
		t.Error(call.Authorization, n)
	}
	for _, e := range all {
		text := strings.Join([]string{e.Authorization, e.Form.Encode(), e.Path}, " ")
		for _, s := range sb.Secrets() {
			if strings.Contains(text, s) {
				t.Errorf("entry %d tells a secret", e.N)
			}
		}
	}
	for q, want := range map[sandbox.Query]int{
		{}: 4, {Role: sandbox.RoleAccounts}: 3, {Grant: "refresh_token"}: 1, {Path: "/oauth/token"}: 2, {RPC: "tools/call", Tool: "health_check"}: 1,
		{Tool: "other"}: 0, {Status: http.StatusOK}: 3, {After: 3}: 1, {Method: http.MethodGet}: 1,
	} {
		if got := sb.Log().Count(q); got != want {
			t.Errorf("%+v: %d, want %d", q, got, want)
		}
	}
}

func TestLog_waitFor_contextEnds_error(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	never := func(sandbox.Entry) bool { return false }
	if _, err := sb.Log().WaitFor(ctx, never); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if _, err := sb.WaitForAnswer(ctx, "1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := sb.Push(ctx, []byte("{}")); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestLog_refreshTokenTwice_collision(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	a := newApp(t, sb)
	old := a.signIn().Refresh
	next := a.refresh(old).Refresh
	if n := sb.Log().RefreshCollisions(); n != 0 {
		t.Error(n)
	}
	a.refresh(old)
	a.refresh(next)
	if n := sb.Log().RefreshCollisions(); n != 1 {
		t.Error(n)
	}
}

func TestLog_basicAuthorization_numbered(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	a := newApp(t, sb)
	a.basic, a.secret = true, "a-secret-of-some-length"
	a.refresh("x")
	e := sb.Log().Entries()[0]
	if diff := cmp.Diff("basic #1", e.Authorization); diff != "" || !slices.Contains(sb.Secrets(), a.secret) {
		t.Error(diff)
	}
}
