package remote_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/remote"
)

// leg is one request of a call that is gone on with.
type leg struct {
	Verb, After string
	At          time.Duration
}

// resumed sends a call to a server that answers the nth request so, in fake time.
func resumed(t *testing.T, line string, answers ...*http.Response) (legs []leg, got []string, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		rt := roundTripper(func(r *http.Request) (*http.Response, error) {
			written(r)
			legs = append(legs, leg{r.Method, r.Header.Get("Last-Event-ID"), time.Since(start).Truncate(time.Second)})
			return answers[min(len(legs), len(answers))-1], nil
		})
		got, err = do(t, client(t, "https://example.test/", transport(rt)), line)
	})
	return legs, got, err
}

func stream(body string) *http.Response { return response(200, "text/event-stream", body) }

// RELAY H8: a call whose stream ends early is fetched by GET, as the server says,
// and never posted again.
func TestResume_streamEndsEarly_goneOnWithByGET(t *testing.T) {
	t.Parallel()
	legs, got, err := resumed(t, call,
		stream("id: 1\nretry: 2000\ndata:\n\nid: 2\ndata: {\"method\":\"a\"}\n\nid: half\ndata: {"),
		stream("id: 3\ndata: {\"method\":\"b\"}\n\n"),
		stream("id: 4\ndata: "+answer+"\n\n"))
	want := []leg{{"POST", "", 0}, {"GET", "2", 2 * time.Second}, {"GET", "3", 4 * time.Second}}
	if diff := cmp.Diff(want, legs); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if diff := cmp.Diff([]string{`{"method":"a"}`, `{"method":"b"}`, answer}, got); diff != "" {
		t.Error(diff)
	}
}

func TestResume_cannotBe_outcomeUnknown(t *testing.T) {
	t.Parallel()
	const primed = "id: 1\ndata:\n\n"
	modern := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`
	for name, c := range map[string]struct {
		line    string
		answers []*http.Response
		legs    int
	}{
		"no event had an id":     {call, []*http.Response{stream("data: {\"method\":\"a\"}\n\n")}, 1},
		"an id for no header":    {call, []*http.Response{stream("id: caf\u00e9\ndata:\n\n")}, 1},
		"the modern era":         {modern, []*http.Response{stream(primed)}, 1},
		"405":                    {call, []*http.Response{stream(primed), response(405, "", "")}, 2},
		"404":                    {call, []*http.Response{stream(primed), response(404, "", "")}, 2},
		"nothing new five times": {call, []*http.Response{stream(primed), stream(": nothing\n\n")}, 6},
		"503 five times":         {call, []*http.Response{stream(primed), response(503, "", "")}, 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			legs, _, err := resumed(t, c.line, c.answers...)
			if e := kindOf(t, err); e.Kind != remote.KindUnknownOutcome || len(legs) != c.legs {
				t.Errorf("%v after %v", e, legs)
			}
			for _, l := range legs[1:] {
				if l.Verb != http.MethodGet {
					t.Errorf("posted again: %v", legs)
				}
			}
		})
	}
}
