package sandbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

const dates = `"filters":{"dateFrom":"2026-01-01 00:00:00","dateTo":"2026-01-31 23:59:59"}`

func TestTools_list_documentedOnes(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	h := newHost(t, sb, "A")
	readOnly := map[string]bool{
		"list_available_team_accounts": true, "get_current_team_account": true, "switch_team_account": false, "clear_team_selection": false,
		"reporting_createReport": false, "reporting_getReport": true,
		"payLinks_paymentLink_create": false, "payLinks_paymentLink_sendPaymentLink": false,
		"payLinks_paymentLink_getByInvoiceNumber": true, "payLinks_paymentLink_updatePaymentLink": false,
		"list_available_tools": true, "get_metadata": true, "health_check": true,
	}
	got := map[string]bool{}
	for _, tool := range h.ask("tools/list", "{}").Result.Tools {
		if tool.InputSchema["type"] != "object" || tool.Annotations == nil {
			t.Fatalf("%+v", tool)
		}
		got[tool.Name] = tool.Annotations.ReadOnlyHint
	}
	if diff := cmp.Diff(readOnly, got); diff != "" {
		t.Error(diff)
	}
	for _, tool := range []string{"list_available_tools", "get_metadata", "health_check"} {
		if a := h.call(tool, "{}"); a.Error != nil || a.text() == "" {
			t.Error(tool, a)
		}
	}
}

func TestTools_knobs_changeList(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	h := newHost(t, sb, "A")
	list := func(k sandbox.ToolKnobs) (names []string, hints int) {
		sb.Change(func(all *sandbox.Knobs) { all.MCP.Tools = k })
		params := "{}"
		for {
			r := h.ask("tools/list", params).Result
			for _, tool := range r.Tools {
				names = append(names, tool.Name)
				if tool.Annotations != nil && tool.Annotations.ReadOnlyHint {
					hints++
				}
			}
			if k.PageSize > 0 && len(r.Tools) > k.PageSize {
				t.Error("page of", len(r.Tools))
			}
			if r.NextCursor == "" {
				return names, hints
			}
			params = fmt.Sprintf(`{"cursor":%q}`, r.NextCursor)
		}
	}
	if _, hints := list(sandbox.ToolKnobs{Annotations: sandbox.AnnotationsAbsent}); hints != 0 {
		t.Error("hints:", hints)
	}
	if names, hints := list(sandbox.ToolKnobs{Annotations: sandbox.AnnotationsLying}); hints != len(names) {
		t.Error("hints:", hints)
	}
	whole, _ := list(sandbox.ToolKnobs{})
	if paged, _ := list(sandbox.ToolKnobs{PageSize: 4}); !cmp.Equal(whole, paged) {
		t.Error(paged)
	}
	if names, _ := list(sandbox.ToolKnobs{Without: []string{"payLinks_", "reporting_"}}); len(names) != 7 {
		t.Error(names)
	}
	if a := h.call("reporting_getReport", "{}"); a.Error == nil || a.Error.Code != -32601 {
		t.Error("a dropped tool is callable", a)
	}
	if names, _ := list(sandbox.ToolKnobs{Probe: true}); len(names) != 15 {
		t.Error(names)
	}
}

func TestTools_unknown_404ByKnob(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	h := newHost(t, sb, "A")
	for _, with404 := range []bool{false, true} {
		sb.SetMCP(sandbox.MCPKnobs{UnknownTool404: with404})
		resp := h.send(http.MethodPost, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"process-refund"}}`)
		if body := read(t, resp); (resp.StatusCode == http.StatusNotFound) != with404 || !strings.Contains(body, "-32601") {
			t.Error(resp.Status, body)
		}
	}
}

func TestTools_probe_bytesAsPromised(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{Knobs: sandbox.Knobs{MCP: sandbox.MCPKnobs{Tools: sandbox.ToolKnobs{Probe: true}}}})
	h := newHost(t, sb, "A")
	for _, name := range []string{sandbox.FidelityTool, sandbox.ForeignNameTool} {
		got := read(t, h.send(http.MethodPost, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q}}`, name)))
		if got != `{"jsonrpc":"2.0","id":1,"result":`+sandbox.FidelityResult+`}` || !json.Valid([]byte(got)) {
			t.Error(got)
		}
	}
	if a := h.call(sandbox.FidelityTool, `{"size":1048576}`); len(a.text()) != 1<<20 {
		t.Error(len(a.text()))
	}
}

func TestMerchant_oneAccount_selectedByItself(t *testing.T) {
	t.Parallel()
	h := newHost(t, start(t, sandbox.Options{}), "A")
	if got := h.call("get_current_team_account", "{}").text(); got != "You are currently using merchant account 180012 (Primary Store)." {
		t.Error(got)
	}
	if got := h.call("list_available_team_accounts", "{}").text(); got != "[1] Primary Store (MID: 180012)" {
		t.Error(got)
	}
}

func TestMerchant_selection_askedSwitchedForgotten(t *testing.T) {
	t.Parallel()
	c := newClock()
	h := newHost(t, start(t, sandbox.Options{Now: c.now}), "B")
	asked := func() bool {
		a := h.call("reporting_createReport", `{"service":"refunds",`+dates+`}`)
		return a.Result.IsError && strings.HasPrefix(a.text(), "Error: Merchant selection required. You have multiple merchant accounts.\n")
	}
	if got := h.call("list_available_team_accounts", "{}").text(); got != "[1] Primary Store (MID: 180012)\n[2] Online Shop (MID: 180045)\n[3] Mobile App (MID: 180078)" {
		t.Error(got)
	}
	if !asked() {
		t.Error("not asked at first")
	}
	if a := h.call("switch_team_account", `{"identifier":"999999"}`); !a.Result.IsError || a.text() != "Permission denied" {
		t.Error(a)
	}
	if a := h.call("switch_team_account", `{}`); a.Error == nil || a.Error.Code != -32602 {
		t.Error(a)
	}
	if got := h.call("switch_team_account", `{"identifier":"180045"}`).text(); got != "Successfully switched to Online Shop (MID: 180045)" {
		t.Error(got)
	}
	c.pass(59 * time.Minute)
	if asked() {
		t.Error("asked within the hour")
	}
	c.pass(time.Minute)
	if !asked() {
		t.Error("not asked after the hour")
	}
	h.call("switch_team_account", `{"identifier":"180078"}`)
	h.call("clear_team_selection", "{}")
	if !asked() {
		t.Error("not asked after clearing")
	}
}

func TestMerchant_carrier_asChosen(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.Options{})
	h := newHost(t, sb, "B")
	for carrier, code := range map[sandbox.SelectionCarrier]int{sandbox.CarrierParams: -32602, sandbox.CarrierFault: -32603} {
		sb.SetMCP(sandbox.MCPKnobs{Merchant: sandbox.MerchantKnobs{Carrier: carrier}})
		if a := h.call("get_current_team_account", "{}"); a.Error == nil || a.Error.Code != code || !strings.Contains(a.Error.Message, "selection required") {
			t.Error(a)
		}
	}
}

func TestMerchant_scope_perUserOrGrant(t *testing.T) {
	t.Parallel()
	for _, perGrant := range []bool{false, true} {
		sb := start(t, sandbox.Options{Knobs: sandbox.Knobs{MCP: sandbox.MCPKnobs{Merchant: sandbox.MerchantKnobs{PerGrant: perGrant}}}})
		one, other := newHost(t, sb, "B"), newHost(t, sb, "B")
		one.call("switch_team_account", `{"identifier":"180045"}`)
		if seen := !other.call("get_current_team_account", "{}").Result.IsError; seen == perGrant {
			t.Errorf("per grant %t: the other sees the selection: %t", perGrant, seen)
		}
	}
}

func TestReports_polledTwice_readyWithLink(t *testing.T) {
	t.Parallel()
	c := newClock()
	sb := start(t, sandbox.Options{Now: c.now})
	h := newHost(t, sb, "A")
	var r struct{ ReportID, Status, DownloadURL string }
	parse := func(a answer) {
		t.Helper()
		if err := json.Unmarshal([]byte(a.text()), &r); err != nil {
			t.Fatal(err, a)
		}
	}
	parse(h.call("reporting_createReport", `{"service":"transactions",`+dates+`}`))
	if r.ReportID != "RPT-12345" || r.Status != "processing" {
		t.Error(r)
	}
	get := fmt.Sprintf(`{"reportId":%q}`, r.ReportID)
	if parse(h.call("reporting_getReport", get)); r.Status != "processing" {
		t.Error(r)
	}
	if parse(h.call("reporting_getReport", get)); r.Status != "ready" || r.DownloadURL == "" {
		t.Error(r)
	}
	a := newApp(t, sb)
	if resp := a.do(http.MethodGet, r.DownloadURL, "", ""); resp.StatusCode != http.StatusOK || !strings.HasPrefix(read(t, resp), "id,amount") {
		t.Error(resp.Status)
	}
	c.pass(5 * time.Minute)
	if resp := a.do(http.MethodGet, r.DownloadURL, "", ""); resp.StatusCode != http.StatusGone {
		t.Error(resp.Status)
	}
	for _, bad := range []string{`{"service":"x",` + dates + `}`, `{"service":"refunds"}`, `{"service":"refunds","filters":{"dateFrom":"2026-02-01 00:00:00","dateTo":"2026-01-01 00:00:00"}}`} {
		if a := h.call("reporting_createReport", bad); a.Error == nil || a.Error.Code != -32602 {
			t.Error(bad, a)
		}
	}
	if a := h.call("reporting_getReport", `{"reportId":"RPT-1"}`); !a.Result.IsError {
		t.Error(a)
	}
}

func slow(pause time.Duration) sandbox.Options {
	return sandbox.Options{Knobs: sandbox.Knobs{MCP: sandbox.MCPKnobs{Report: sandbox.ReportKnobs{Slow: true, Steps: 3, Pause: pause}}}}
}

const slowCall = `{"jsonrpc":"2.0","id":"slow","method":"tools/call","params":{"name":"reporting_createReport","arguments":{"service":"refunds",` + dates + `},"_meta":{"progressToken":7}}}`

func TestReports_slow_progressBeforeResult(t *testing.T) {
	t.Parallel()
	h := newHost(t, start(t, slow(time.Millisecond)), "A")
	got := read(t, h.send(http.MethodPost, slowCall))
	events := strings.Split(strings.TrimSuffix(got, "\n\n"), "\n\n")
	if len(events) != 4 || !strings.Contains(events[2], `"progressToken":7,"progress":3,"total":3`) || !strings.Contains(events[3], `"id":"slow","result"`) {
		t.Error(got)
	}
	if got := read(t, h.send(http.MethodPost, slowCall, "Accept", "application/json")); !strings.HasPrefix(got, `{"jsonrpc":"2.0","id":"slow","result"`) {
		t.Error("without streams:", got)
	}
}

func TestReports_slowCancelled_noAnswer(t *testing.T) {
	t.Parallel()
	sb := start(t, slow(time.Hour))
	h := newHost(t, sb, "A")
	for _, accept := range []string{"application/json, text/event-stream", "application/json"} {
		body := make(chan string, 1)
		go func() { body <- read(t, h.send(http.MethodPost, slowCall, "Accept", accept)) }()
		// A cancellation that comes too early is recorded and hits nothing.
		for hit := false; !hit && t.Context().Err() == nil; {
			h.send(http.MethodPost, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"slow"}}`)
			all := sb.Cancelled()
			hit = all[len(all)-1] == sandbox.Cancellation{ID: `"slow"`, Running: true}
		}
		if got := <-body; got != "" {
			t.Error(got)
		}
	}
	h.send(http.MethodPost, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"slow"}}`)
	if all := sb.Cancelled(); all[len(all)-1].Running {
		t.Error("a finished call counts as running")
	}
}

func TestReports_clientGone_runsOn(t *testing.T) {
	t.Parallel()
	sb := start(t, slow(50*time.Millisecond))
	h := newHost(t, sb, "A")
	ctx, cancel := context.WithCancel(limit(t))
	go func() {
		_, _ = sb.Log().WaitFor(ctx, func(e sandbox.Entry) bool { return e.RPC == "tools/call" })
		cancel()
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, sb.Endpoint(), strings.NewReader(slowCall))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.token)
	if resp, err := h.http.Do(req); err == nil {
		resp.Body.Close()
	}
	if _, err := sb.Log().WaitFor(limit(t), func(e sandbox.Entry) bool { return e.RPC == "tools/call" && e.Done }); err != nil {
		t.Fatal(err)
	}
	if a := h.call("reporting_getReport", `{"reportId":"RPT-12345"}`); a.Result.IsError {
		t.Error(a)
	}
}

func TestClose_runningCall_endsIt(t *testing.T) {
	t.Parallel()
	sb := start(t, slow(time.Hour))
	h := newHost(t, sb, "A")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		req, err := http.NewRequestWithContext(limit(t), http.MethodPost, sb.Endpoint(), strings.NewReader(slowCall))
		if err != nil {
			return
		}
		req.Header.Set("Authorization", "Bearer "+h.token)
		if resp, err := h.http.Do(req); err == nil {
			resp.Body.Close()
		}
	}()
	if _, err := sb.Log().WaitFor(limit(t), func(e sandbox.Entry) bool { return e.RPC == "tools/call" }); err != nil {
		t.Fatal(err)
	}
	if err := sb.Close(); err != nil {
		t.Error(err)
	}
	<-ended
}

func TestLinks_wholeLife_stateAndCounts(t *testing.T) {
	t.Parallel()
	c := newClock()
	sb := start(t, sandbox.Options{Now: c.now})
	h := newHost(t, sb, "A")
	var r struct {
		Status  int
		Message string
		Result  struct {
			InvoiceNumber, Description, Status, ExpiryDate, EmailStatus, PaymentLink string
			TotalAmount                                                              json.Number
			Active                                                                   bool
			Payments                                                                 []any
		}
	}
	run := func(tool, arguments string) (status int) {
		t.Helper()
		r.Result.Payments = nil
		a := h.call("payLinks_paymentLink_"+tool, arguments)
		if err := json.Unmarshal([]byte(a.text()), &r); err != nil || (r.Status != 0) != a.Result.IsError {
			t.Fatal(err, a)
		}
		return r.Status
	}
	if run("create", `{"invoiceNumber":"INV1","amount":1999.50,"description":"d"}`) != 0 || r.Result.TotalAmount != "1999.50" || r.Result.ExpiryDate != "2026-03-08 15:30:00" || r.Result.PaymentLink == "" {
		t.Error(r)
	}
	if run("create", `{"invoiceNumber":"INV1","amount":1}`) != -1 || r.Message != "Invoice Number already exists. Please enter new invoice number." {
		t.Error(r)
	}
	if run("create", `{"subAmount":2}`) != 0 || r.Result.InvoiceNumber != "INV7711514022033" {
		t.Error(r)
	}
	if run("create", `{"amount":0}`) != -1 {
		t.Error(r)
	}
	if run("sendPaymentLink", `{"invoiceNumber":"INV1","channels":[{"type":"email","address":"a@example.com"}]}`) != 0 || r.Result.EmailStatus != "sent" {
		t.Error(r)
	}
	if run("sendPaymentLink", `{"invoiceNumber":"INV1"}`) != -1 || run("sendPaymentLink", `{"invoiceNumber":"INV1","channels":[{"type":"fax"}]}`) != -1 {
		t.Error(r)
	}
	if run("updatePaymentLink", `{"invoiceNumber":"INV1","description":"new","status":"inactive"}`) != 0 || r.Result.Active {
		t.Error(r)
	}
	if run("getByInvoiceNumber", `{"invoiceNumber":"INV1","paymentDetailsRequired":true}`) != 0 || r.Result.Description != "new" || r.Result.Status != "inactive" || r.Result.Payments == nil {
		t.Error(r)
	}
	for _, tool := range []string{"getByInvoiceNumber", "updatePaymentLink", "sendPaymentLink"} {
		if run(tool, `{"invoiceNumber":"none"}`) != -1 || r.Message != "paymentLink not found" {
			t.Error(tool, r)
		}
	}
	for tool, want := range map[string]int{"create": 2, "sendPaymentLink": 3, "updatePaymentLink": 1, "getByInvoiceNumber": 1} {
		if got := sb.Executions("payLinks_paymentLink_"+tool, "INV1"); got != want {
			t.Errorf("%s ran %d times, want %d", tool, got, want)
		}
	}
	other := newHost(t, sb, "B")
	other.call("switch_team_account", `{"identifier":"180045"}`)
	if a := other.call("payLinks_paymentLink_getByInvoiceNumber", `{"invoiceNumber":"INV1"}`); !a.Result.IsError {
		t.Error("another merchant sees the link")
	}
}
