package remote_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/remote"
)

// hear reads a stream as the answer to a call and returns what was delivered.
func hear(t testing.TB, stream io.Reader, limit int) ([]string, error) {
	t.Helper()
	rt := roundTripper(func(*http.Request) (*http.Response, error) {
		resp := response(200, "text/event-stream; charset=utf-8", "")
		resp.Body = io.NopCloser(stream)
		return resp, nil
	})
	c, err := remote.New(remote.Config{
		Endpoint: "https://example.test/", HTTP: rt, Limits: remote.Limits{Answer: limit},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	err = c.Do(t.Context(), message(t, `{"id":1,"method":"tools/list"}`), remote.Hooks{
		Deliver: func(m jsonmsg.Message) { got = append(got, string(m.Raw)) },
	})
	return got, err
}

//oauth:row X21 remote/messages.go "jsonmsg.Compact(e.data)" => "e.data"
//oauth:row X21 remote/sse.go "append(append(e.data, '\\n'), value...)" => "append(e.data, value...)"
func TestSSE_lineEndingsAndFields_asTheStandardSays(t *testing.T) {
	t.Parallel()
	const note, done = `{"method":"n"}`, `{"id":1,"result":2}`
	for name, stream := range map[string]string{
		"LF":                      "data: " + note + "\n\ndata: " + done + "\n\n",
		"CRLF":                    "data: " + note + "\r\n\r\ndata: " + done + "\r\n\r\n",
		"CR":                      "data: " + note + "\r\rdata: " + done + "\r\r",
		"mixed":                   "data: " + note + "\r\n\ndata: " + done + "\n\r",
		"no space":                "data:" + note + "\n\ndata:" + done + "\n\n",
		"BOM":                     "\ufeffdata: " + note + "\n\ndata: " + done + "\n\n",
		"comments and odd fields": ":\n: x\nfoo\nfoo: bar\nid\nretry: x\ndata: " + note + "\n: y\n\n\n\n:\n\ndata: " + done + "\n\n",
		"several data lines":      "data: {\ndata\ndata:   \"method\":\"n\"\ndata: }\n\ndata: {\"id\":1,\ndata: \"result\":2}\n\n",
		"empty and named events":  "data\n\nid: 7\n\nevent: ping\ndata: {}\n\nevent: message\ndata: " + note + "\n\ndata: " + done + "\n\n",
	} {
		want := []string{note, done}
		for _, r := range []io.Reader{strings.NewReader(stream), iotest.OneByteReader(strings.NewReader(stream))} {
			if got, err := hear(t, r, 0); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
	}
}

// The second read fails, so that a reader that looks for an LF after the CR
// before it dispatches delivers nothing.
func TestSSE_loneCR_dispatchedWithoutWaiting(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	defer w.Close()
	go func() { _, _ = io.WriteString(w, "data: {\"id\":1,\"result\":2}\r\r") }()
	if got, err := hear(t, iotest.TimeoutReader(r), 0); err != nil || len(got) != 1 {
		t.Errorf("%q, %v", got, err)
	}
}

func FuzzSSE(f *testing.F) {
	for _, s := range []string{
		"data: {\"id\":1,\"result\":2}\n\n", "\ufeffdata:{\"method\":\"n\"}\r\rdata\r\n\r\n", "event: x\ndata: {}\n\n:c\nfoo\n",
		"data: {\"id\":null,\"error\":{}}\n\n", "data: {\ndata: \"id\":1,\rdata: \"result\":[]}\r\n\n", "data: " + strings.Repeat("x", 300) + "\n\n", "retry: 99999999999999999999\nid\n\n",
	} {
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, stream string, slow bool) {
		var r io.Reader = strings.NewReader(stream)
		if slow {
			r = iotest.OneByteReader(r)
		}
		got, err := hear(t, r, 1<<20)
		want, answered := reference(stream)
		if !slices.Equal(got, want) || (err == nil) != answered {
			t.Fatalf("%q:\n got %q, %v\nwant %q", stream, got, err, want)
		}
		for _, line := range got {
			if strings.ContainsAny(line, "\r\n") || !json.Valid([]byte(line)) || !utf8.ValidString(line) {
				t.Fatalf("%q is no message on a line", line)
			}
		}
	})
}

// reference is the event stream algorithm of the standard, written for being
// read: the whole stream at once.
func reference(stream string) (messages []string, answered bool) {
	stream = strings.TrimPrefix(stream, "\ufeff")
	stream = strings.ReplaceAll(strings.ReplaceAll(stream, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(stream, "\n")
	var data []string
	name := ""
	for _, line := range lines[:len(lines)-1] {
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line != "" && field == "data":
			data = append(data, value)
		case line != "" && field == "event":
			name = value
		case line == "":
			text := strings.Join(data, "\n")
			ours := text != "" && (name == "" || name == "message")
			data, name = nil, ""
			if !ours {
				continue
			}
			m, err := jsonmsg.Scan(jsonmsg.Compact([]byte(text)))
			if err != nil {
				return messages, false
			}
			mine := m.Kind == jsonmsg.Response && (m.NullID() && m.IsError || !m.NullID() && jsonmsg.Key(m.ID) == "n1")
			if m.NullID() && mine {
				m = m.WithID([]byte("1"))
			}
			if mine || m.Kind != jsonmsg.Response {
				messages = append(messages, string(m.Raw))
			}
			if mine {
				return messages, true
			}
		}
	}
	return messages, false
}
