package hosts

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

var addressInText = regexp.MustCompile(`https?://127\.0\.0\.1:[^\s"\\]+`)

// byHand is the person who takes the address out of what the model was told, and
// opens it.
func (c *computer) byHand(results []string) {
	address := addressInText.FindString(results[len(results)-1])
	if address == "" {
		c.t.Errorf("there is no address in %q", results)
		return
	}
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	page, err := sandbox.Visitor{Client: trusting(c.caFile()), User: "A"}.Visit(ctx, address)
	if err != nil || page.Status != http.StatusOK {
		c.t.Errorf("opening the address by hand: %v, ended at %s with %d", err, page.URL, page.Status)
	}
}

// inWords is the story of a host that can neither show an address nor let a
// browser be opened: the call is answered at once with a text that has the
// address, and the next call, after the person has opened it, goes through.
func inWords(t *testing.T, o sandbox.Options, host func(*computer) talk) {
	t.Helper()
	c := newComputer(t, o)
	c.script("payu-browser", "exit 1\n")
	say := host(c)
	again := throughUs()
	again.before = c.byHand
	c.model.says(throughUs(), again)
	say()
	asked := c.model.since(0)
	if len(asked) != 3 {
		t.Fatalf("the model was asked %d times: %+v", len(asked), asked)
	}
	if first := asked[1].last(); !strings.Contains(first, "othing was sent to PayU") || !addressInText.MatchString(first) {
		t.Errorf("the first call was answered %q, want the address and what was not done", first)
	}
	if second := asked[2].last(); !strings.Contains(second, payuAnswer) {
		t.Errorf("the second call was answered %q, want PayU's answer", second)
	}
	c.opened("in words", "", 0)
}

// No browser can be opened there.
func TestGemini_noBrowser(t *testing.T) { inWords(t, sandbox.Options{}, (*computer).gemini) }

// They say that they show addresses, and decline by themselves without a terminal.
func TestClaude_declines(t *testing.T) {
	big(t)
	inWords(t, sandbox.Options{TLS: true}, (*computer).claude)
}

func TestCodex_declines(t *testing.T) {
	big(t)
	inWords(t, sandbox.Options{TLS: true}, (*computer).codex)
}
