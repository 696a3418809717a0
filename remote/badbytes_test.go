package remote_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/internal/nettransport"
	"github.com/payu-mcp/payu-mcp/remote"
)

const ping = `{"jsonrpc":"2.0","id":"next","method":"ping"}`

// twisted answers every message but ping with the bytes of the test, and closes
// the connection after them.
func twisted(t *testing.T, answer func(io.Writer)) string {
	t.Helper()
	return raw(t, func(c net.Conn, r *http.Request) {
		if r.Header.Get("X-Test-Ping") != "" {
			body := `{"id":"next","result":{}}`
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body)
			return
		}
		out := bufio.NewWriter(c)
		answer(out)
		_ = out.Flush()
	})
}

// pinging marks the request that is to be answered well: raw has read the body
// already.
type pinging struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (p pinging) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if strings.Contains(string(body), `"ping"`) {
		r.Header.Set("X-Test-Ping", "1")
	}
	return p.RoundTripper.RoundTrip(r)
}

func zipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, s)
	_ = z.Close()
	return b.String()
}

// reply200 is an answer of length n (-1: until the end, -2: one chunk that is cut).
func reply200(kind, encoding, body string, n int) func(io.Writer) {
	return func(w io.Writer) {
		fmt.Fprintf(w, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nConnection: close\r\n", kind)
		if encoding != "" {
			fmt.Fprintf(w, "Content-Encoding: %s\r\n", encoding)
		}
		switch n {
		case -1:
			fmt.Fprintf(w, "\r\n%s", body)
		case -2:
			fmt.Fprintf(w, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s", len(body)+10, body)
		default:
			fmt.Fprintf(w, "Content-Length: %d\r\n\r\n%s", n, body)
		}
	}
}

func asJSON(body string) func(io.Writer) { return reply200("application/json", "", body, len(body)) }

func asEvent(data string) func(io.Writer) {
	return reply200("text/event-stream", "", "data: "+data+"\n\n", -1)
}

// Each broken answer costs its own message: the call gets the error that says
// so, and the next call on the same client works (RELAY O5, R10, R15).
//
//oauth:row X21 internal/jsonmsg/scan.go "if !utf8.Valid(line) {" => "if utf8.RuneLen(0) < 0 {"
//oauth:row X22 internal/jsonmsg/envelope.go "if n > 1 {" => "if n > 2 {"
func TestBadBytes_brokenAnswer_failsItsCallOnly(t *testing.T) {
	t.Parallel()
	deep := `{"id":9007199254740993,"result":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + `}`
	bomb := zipped(`{"id":9007199254740993,"result":"` + strings.Repeat("a", 1<<20) + `"}`)
	bombEvent := zipped("data: {\"id\":9007199254740993,\"result\":\"" + strings.Repeat("a", 1<<20) + "\"}\n\n")
	good := zipped(answer)
	for name, c := range map[string]struct {
		answer func(io.Writer)
		want   remote.Kind
	}{
		"empty body":                     {asJSON(""), "ran_unreadable"},
		"half of the JSON":               {asJSON(answer[:20]), "ran_unreadable"},
		"two answers in a body":          {asJSON(answer + answer), "ran_unreadable"},
		"batch":                          {asJSON("[" + answer + "]"), "ran_unreadable"},
		"invalid UTF-8":                  {asJSON("{\"id\":9007199254740993,\"result\":\"\xff\"}"), "ran_unreadable"},
		"NUL":                            {asJSON(answer + "\x00"), "ran_unreadable"},
		"BOM":                            {asJSON("\ufeff" + answer), "ran_unreadable"},
		"10,000 levels":                  {asJSON(deep), "ran_unreadable"},
		"id given twice":                 {asJSON(`{"id":9007199254740993,"id":9007199254740993,"result":1}`), "ran_unreadable"},
		"result given twice":             {asJSON(`{"id":9007199254740993,"result":1,"result":2}`), "ran_unreadable"},
		"id rounded":                     {asJSON(`{"id":9007199254740992,"result":1}`), "ran_unreadable"},
		"id as a string":                 {asJSON(`{"id":"9007199254740993","result":1}`), "ran_unreadable"},
		"a notification":                 {asJSON(`{"method":"notifications/x"}`), "ran_unreadable"},
		"a request":                      {asJSON(`{"id":9007199254740993,"method":"x"}`), "ran_unreadable"},
		"HTML as JSON":                   {asJSON("<!DOCTYPE html><title>sign in</title>"), "ran_unreadable"},
		"HTML":                           {reply200("text/html", "", "<!DOCTYPE html>", 15), "unknown_outcome"},
		"no content type":                {reply200("", "", answer, len(answer)), "unknown_outcome"},
		"event with invalid UTF-8":       {asEvent("{\"id\":9007199254740993,\"result\":\"\xff\"}"), "ran_unreadable"},
		"event with NUL":                 {asEvent(answer + "\x00"), "ran_unreadable"},
		"event of 10,000 levels":         {asEvent(deep), "ran_unreadable"},
		"event with a batch":             {asEvent("[" + answer + "]"), "ran_unreadable"},
		"event over the limit":           {asEvent(strings.Repeat("a", 70<<10)), "too_large"},
		"data lines over the limit":      {asEvent(strings.Repeat("a\ndata: ", 40<<10)), "too_large"},
		"comment for ever, then the end": {reply200("text/event-stream", "", ":"+strings.Repeat("a", 100<<10), -1), "too_large"},
		"body over the limit":            {asJSON(strings.Repeat(" ", 70<<10)), "too_large"},
		"endless body":                   {reply200("application/json", "", strings.Repeat(" ", 70<<10), -1), "too_large"},
		"body longer than it says":       {reply200("application/json", "", answer, len(answer)-1), "ran_unreadable"},
		"body shorter than it says":      {reply200("application/json", "", answer, len(answer)+1), "unknown_outcome"},
		"chunk cut in JSON":              {reply200("application/json", "", answer, -2), "unknown_outcome"},
		"chunk cut in events":            {reply200("text/event-stream", "", "data: "+answer, -2), "unknown_outcome"},
		"gzip that is none":              {reply200("application/json", "gzip", answer, len(answer)), "unknown_outcome"},
		"gzip cut":                       {reply200("application/json", "gzip", good[:len(good)-9], len(good)-9), "unknown_outcome"},
		"gzip with a wrong sum":          {reply200("application/json", "gzip", good[:len(good)-8]+"12345678", len(good)), "unknown_outcome"},
		"unknown encoding":               {reply200("application/json", "br", "\x8b\x00", 2), "ran_unreadable"},
		"gzip bomb":                      {reply200("application/json", "gzip", bomb, len(bomb)), "too_large"},
		"gzip bomb in events":            {reply200("text/event-stream", "gzip", bombEvent, len(bombEvent)), "too_large"},
		"no HTTP":                        {func(w io.Writer) { fmt.Fprint(w, "SSH-2.0-OpenSSH\r\n\r\n") }, "unknown_outcome"},
		"bad header line":                {func(w io.Writer) { fmt.Fprint(w, "HTTP/1.1 200 OK\r\n\x00: \x01\r\n\r\n") }, "unknown_outcome"},
		"two lengths": {func(w io.Writer) {
			fmt.Fprint(w, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}")
		}, "unknown_outcome"},
		"endless header":      {func(w io.Writer) { fmt.Fprint(w, "HTTP/1.1 200 OK\r\n"+strings.Repeat("X-A: b\r\n", 50<<10)) }, "unknown_outcome"},
		"endless header line": {func(w io.Writer) { fmt.Fprint(w, "HTTP/1.1 200 OK\r\nX-A: "+strings.Repeat("b", 300<<10)) }, "unknown_outcome"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr, err := nettransport.New(nettransport.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(tr.CloseIdleConnections)
			cl := client(t, twisted(t, c.answer), func(c *remote.Config) {
				c.HTTP, c.Limits.Answer = pinging{tr}, 64<<10
			})
			got, err := do(t, cl, call)
			if e := kindOf(t, err); e.Kind != c.want || len(got) != 0 {
				t.Errorf("kind %s, want %s; delivered %.100q", e.Kind, c.want, got)
			}
			if got, err := do(t, cl, ping); err != nil || len(got) != 1 {
				t.Errorf("the next call: %q, %v", got, err)
			}
		})
	}
}

// What is odd but legal comes through: the answer belongs to the call, however
// its id is written, and an error without an id can only be the call's (F4).
func TestBadBytes_oddButLegalAnswer_delivered(t *testing.T) {
	t.Parallel()
	long := `"` + strings.Repeat("x", 10<<10) + `"`
	for name, c := range map[string]struct{ call, answer, want string }{
		"id with a zero fraction":    {call, `{"id":9007199254740993.0,"result":1}`, ""},
		"id escaped otherwise":       {list, `{"id":"lé","result":1}`, ""},
		"id of 10 KB":                {`{"id":` + long + `,"method":"x"}`, `{"id":` + long + `,"result":1}`, ""},
		"id is a fraction":           {`{"id":1.5,"method":"x"}`, `{"id":1.5,"result":1}`, ""},
		"error with id null":         {call, `{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"m"}}`, `{"jsonrpc":"2.0","id":9007199254740993,"error":{"code":1,"message":"m"}}`},
		"error without id":           {call, `{"error":{"code":1,"message":"m"}}`, `{"id":9007199254740993,"error":{"code":1,"message":"m"}}`},
		"duplicate keys in a result": {call, `{"id":9007199254740993,"result":{"a":1,"a":2}}`, ""},
		"blanks around it":           {call, " \t" + answer + " ", ""},
	} {
		if c.want == "" {
			c.want = c.answer
		}
		for form, write := range map[string]func(io.Writer){"JSON": asJSON(c.answer), "event": asEvent(c.answer)} {
			got, err := do(t, client(t, twisted(t, write)), c.call)
			for i := range got {
				got[i] = strings.TrimSpace(got[i])
			}
			if diff := cmp.Diff([]string{strings.TrimSpace(c.want)}, got); diff != "" || err != nil {
				t.Errorf("%s as %s: %v %.300s", name, form, err, diff)
			}
		}
	}
}

// Answers that nobody asked for, and everything of a stream that is no message,
// are passed over on the way to the answer (OAUTH X24, RELAY H19).
//
//oauth:row X24 remote/answer.go "case m.NullID() || jsonmsg.Key(m.ID) != jsonmsg.Key(x.msg.ID):" => "case false:"
func TestBadBytes_noiseOnTheStream_passedOver(t *testing.T) {
	t.Parallel()
	noise := ":\n\n: " + strings.Repeat("c", 10<<10) + "\r\r\nretry: 99999999999999999999\nretry: -1\nid: \x00\nid\nnocolon\n\xff\xfe\n\n" +
		"event: other\ndata: {\n\ndata\n\ndata:\n\n" +
		"data: {\"id\":1,\"result\":{}}\n\ndata: {\"id\":\"9007199254740993\",\"result\":{}}\n\ndata: {\"id\":null,\"result\":{}}\n\n"
	stream := noise + "data: {\"id\":9007199254740993,\ndata:\"result\":\rdata: {}}\r\n\r\n" + noise
	got, err := do(t, client(t, twisted(t, reply200("text/event-stream", "", stream, -1))), call)
	if diff := cmp.Diff([]string{`{"id":9007199254740993,"result":{}}`}, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}
