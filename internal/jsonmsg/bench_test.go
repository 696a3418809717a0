package jsonmsg_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// long makes an answer of about size bytes out of repeated parts.
func long(head, part, tail string, size int) []byte {
	return []byte(head + strings.Repeat(part, max(1, size/len(part))) + tail)
}

// answers are the shapes of large answers: one long text, one with many
// escapes, one in another script, and a list of records.
func answers(size int) map[string][]byte {
	const head, tail = `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`, `"}]}}`
	return map[string][]byte{
		"plain":   long(head, "Some text of an invoice, as servers send it. ", tail, size),
		"escapes": long(head, `{\"order\":\"A-1\",\n\t\"note\":\"\u20b9 100\"},`, tail, size),
		"script":  long(head, "भुगतान सफल रहा। ", tail, size),
		"records": long(`{"jsonrpc":"2.0","id":1,"result":{"items":[`,
			`{"id":123456,"amount":100.50,"name":"Order with some text, \"quoted\"","tags":["a","b",null,true]},`, `0]}}`, size),
	}
}

// bench runs do on answers that begin as given.
func bench(b *testing.B, begin string, do func([]byte) error) {
	b.Helper()
	for _, size := range []int{1 << 10, 1 << 20, 10 << 20} {
		for name, line := range answers(size) {
			line = slices.Concat([]byte(begin), line[1:])
			b.Run(fmt.Sprintf("%s/%dKiB", name, size>>10), func(b *testing.B) {
				b.SetBytes(int64(len(line)))
				b.ReportAllocs()
				for b.Loop() {
					if err := do(line); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkScan(b *testing.B) {
	bench(b, "{", func(line []byte) error {
		_, err := jsonmsg.Scan(line)
		return err
	})
}

func BenchmarkSkim(b *testing.B) {
	bench(b, "{", func(line []byte) error {
		jsonmsg.Skim(line)
		return nil
	})
}

// BenchmarkCompact is the whole way of an answer that came on several lines.
func BenchmarkCompact(b *testing.B) {
	bench(b, "{\n", func(line []byte) error {
		_, err := jsonmsg.Scan(jsonmsg.Compact(line))
		return err
	})
}

// BenchmarkValid is what encoding/json takes for less: the yardstick.
func BenchmarkValid(b *testing.B) {
	bench(b, "{", func(line []byte) error {
		json.Valid(line)
		return nil
	})
}
