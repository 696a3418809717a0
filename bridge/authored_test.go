package bridge_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/payu-mcp/payu-mcp/bridge"
	"github.com/payu-mcp/payu-mcp/bridge/policy"
)

// likeSDK fails unless raw is what the SDK would write of that type: a member that
// it does not know, or one of another kind, would come back otherwise.
func likeSDK[T any](t *testing.T, raw string) {
	t.Helper()
	var typed T
	if err := json.Unmarshal([]byte(raw), &typed); err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	again, err := json.Marshal(typed)
	if err != nil {
		t.Fatal(err)
	}
	var ours, theirs any
	if err := json.Unmarshal([]byte(raw), &ours); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again, &theirs); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(theirs, ours); diff != "" {
		t.Error(diff)
	}
}

// What the bridge writes itself is written without the SDK, and as the SDK does.
func TestAuthored_asTheSDKWritesIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]bridge.Config{"free": {}, "read-only": {Policy: policy.New(policy.Rules{ReadOnly: true})}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := atDoor(t, payu, c)
				d.send(shows, inited, listTools)
				likeSDK[mcp.InitializeResult](t, lookup(d.next(), "result"))
				likeSDK[[]*mcp.Tool](t, lookup(d.next(), "result", "tools"))
				d.send(use("2", "payu_login", `{}`))
				likeSDK[mcp.ElicitParams](t, lookup(d.next(), "params"))
				d.send(use("3", "payu_call_tool", `{}`))
				likeSDK[mcp.CallToolResult](t, lookup(d.next(), "result"))
			})
		})
	}
}
