package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/bridge/policy"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// BenchmarkJudge is what a policy adds to a call: it is read once when it comes
// and once before it goes, and judged in between.
func BenchmarkJudge(b *testing.B) {
	p := policy.New(policy.Rules{ReadOnly: true, Block: []string{"payLinks_*", "*_create"}})
	tools := policy.Tools{"reporting_getReport": true}
	for _, size := range []int{100, 10_000} {
		call := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"reporting_getReport","arguments":{"reportId":"%s"},"_meta":{"progressToken":7}}}`, strings.Repeat("a", size))
		b.Run(fmt.Sprintf("%dB/scan", size), func(b *testing.B) { // what each message costs anyway
			for b.Loop() {
				if _, err := jsonmsg.Scan(call); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("%dB/judge", size), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if name, _, err := policy.Read(call); err != nil || p.Judge(name, tools) != policy.Pass {
					b.Fatal(name, err)
				}
			}
		})
	}
}

// BenchmarkFilter is what it adds to a list of as many tools as PayU has.
func BenchmarkFilter(b *testing.B) {
	p := policy.New(policy.Rules{ReadOnly: true})
	var tools []string
	for i := range 13 {
		tools = append(tools, fmt.Sprintf(`{"name":"tool_%d","description":"%s","inputSchema":{"type":"object","properties":{"a":{"type":"string"}}},"annotations":{"readOnlyHint":%v}}`, i, strings.Repeat("a", 500), i%2 == 0))
	}
	list := []byte(`{"jsonrpc":"2.0","id":1,"result":{"tools":[` + strings.Join(tools, ",") + `]}}`)
	b.ReportAllocs()
	for b.Loop() {
		if len(p.Filter(list, "result")) >= len(list) {
			b.Fatal("nothing is gone")
		}
	}
}
