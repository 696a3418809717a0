package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/printable"
)

// What a server says is data: on a terminal it is made harmless, into a pipe or a
// file it goes as it came.

// isTerminal reports whether something is written for a person to see.
func isTerminal(w io.Writer) bool {
	_, ok := terminalOf(w)
	return ok
}

func terminalOf(w io.Writer) (*os.File, bool) {
	f, ok := w.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

// print writes the result of a call: its text on the standard output, or on the
// standard error if the tool reports an error; with --json all of it, as it came.
func (n *session) print(result json.RawMessage, isError bool) error {
	if n.asJSON {
		return writeJSON(n.e.stdout, result)
	}
	w, text := io.Writer(n.e.stdout), resultText(result)
	switch {
	case isError: // beside our own words, which none of its lines is to look like
		w, text = n.e.stderr, "payu-mcp: error: the tool "+printable.Word(n.asks.tool)+" reports an error:\n"+inset(text)
	case isTerminal(w):
		text = shownText(text)
	}
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("printing the result: %w", err)
	}
	return nil
}

// shownText is a text of the server's on a terminal: no character acts there, and
// no line is taken for one of ours.
func shownText(text string) string {
	const ours = "payu-mcp:"
	text = strings.ReplaceAll(printable.Text(text), "\n"+ours, "\n  "+ours)
	if strings.HasPrefix(text, ours) {
		text = "  " + text
	}
	return text
}

// inset is a text of the server's beside words of ours.
func inset(text string) string {
	text = strings.TrimSuffix(printable.Text(text), "\n")
	return "  " + strings.ReplaceAll(text, "\n", "\n  ") + "\n"
}

// writeJSON prints a value on one line, byte for byte unless a terminal shows it.
func writeJSON(w io.Writer, raw json.RawMessage) error {
	if isTerminal(w) {
		raw = printable.JSON(raw)
	}
	if _, err := w.Write(append(bytes.Clone(raw), '\n')); err != nil {
		return fmt.Errorf("printing the result: %w", err)
	}
	return nil
}

// resultText is a result for a person: its texts, a line for each thing that is
// none, and what is structured if there is no text.
func resultText(result json.RawMessage) string {
	var b strings.Builder
	for _, text := range texts(result) {
		b.WriteString(strings.TrimSuffix(text, "\n") + "\n")
	}
	structured := jsonmsg.Lookup(result, "structuredContent")
	if b.Len() == 0 && structured != nil {
		return pretty(structured)
	}
	return b.String()
}

func pretty(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return string(raw) + "\n"
	}
	return b.String() + "\n"
}

// texts are the contents of a result.
func texts(result json.RawMessage) []string {
	var all []string
	for _, c := range elements(jsonmsg.Lookup(result, "content")) {
		all = append(all, contentText(c))
	}
	return all
}

// contentText is the text of one content, or a line that says what it is.
func contentText(c json.RawMessage) string {
	word := func(key ...string) string {
		return printable.Line(jsonmsg.Text(jsonmsg.Lookup(c, key...)), longestValue)
	}
	const more = "; --json has it"
	switch kind := word("type"); kind {
	case "text":
		return jsonmsg.Text(jsonmsg.Lookup(c, "text"))
	case "image", "audio":
		return fmt.Sprintf("[%s, %s, %s%s]", kind, word("mimeType"), sizeOf(jsonmsg.Lookup(c, "data")), more)
	case "resource_link":
		return fmt.Sprintf("[link to %s: %s]", word("name"), word("uri"))
	case "resource":
		if text := jsonmsg.Lookup(c, "resource", "text"); text != nil {
			return fmt.Sprintf("[resource %s]\n%s", word("resource", "uri"), jsonmsg.Text(text))
		}
		return fmt.Sprintf("[resource %s, %s, %s%s]", word("resource", "uri"), word("resource", "mimeType"), sizeOf(jsonmsg.Lookup(c, "resource", "blob")), more)
	default:
		return fmt.Sprintf("[%s%s]", kind, more)
	}
}

// sizeOf is about how large something in base64 is.
func sizeOf(data json.RawMessage) string {
	const kilo = 1000
	size := max(0, len(data)-len(`""`)) / 4 * 3
	if size < kilo {
		return fmt.Sprintf("%d bytes", size)
	}
	return fmt.Sprintf("%d kB", size/kilo)
}

// elements are those of a JSON array, as written; of other JSON, none.
func elements(array json.RawMessage) []json.RawMessage {
	var all []json.RawMessage
	if len(array) == 0 || array[0] != '[' || json.Unmarshal(array, &all) != nil {
		return nil
	}
	return all
}
