package bridge

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/bridge/policy"
	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// The words of docs/architecture.md for the table's values.
var (
	actionWords = [actions]string{"ask", "quick", "fresh", "own", "here", "sign in", "wait", "keep", "refuse", "drop"}
	classWords  = [classes]string{
		"`initialize`, `server/discover`, `ping`", "the list methods", "`tools/call`", "`tools/call` of a tool of our own",
		"`subscriptions/listen`", "`logging/setLevel`", "any other request, pages of lists", "`notifications/initialized`",
		"any other notification, answers",
	}
)

func readDoc(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTable_isTheOneInTheDocuments(t *testing.T) {
	t.Parallel()
	head := []string{"message of the host"}
	for s := range states {
		head = append(head, s.String())
	}
	want := "| " + strings.Join(head, " | ") + " |\n|" + strings.Repeat(" --- |", len(head)) + "\n"
	for c, row := range table {
		cells := []string{classWords[c]}
		for _, a := range row {
			cells = append(cells, actionWords[a])
		}
		want += "| " + strings.Join(cells, " | ") + " |\n"
	}
	doc := readDoc(t, "architecture.md")
	from := strings.Index(doc, "| message of the host")
	if from < 0 || !strings.HasPrefix(doc[from:], want) {
		t.Errorf("docs/architecture.md must have:\n%s\n%s", want, cmp.Diff(want, doc[max(from, 0):]))
	}
}

// texts are all that the bridge says about signing in and about tools that are
// held back, with stand-ins for what
// is filled in.
func texts() []string {
	fault := hint.With(errors.New("<what happened>"), "<hint>")
	inv := Invitation{URL: "<address>", By: "<program>"}
	return []string{
		descriptionLogin, descriptionList, descriptionCall,
		instructionsSignedOut, instructionsEnded, instructionsUnreachable,
		hintCallLogin, textDialog, textWaiting, strings.TrimSpace(textList),
		sentenceNotSent, sentenceEnded, sentenceSignedIn, sentenceBadInner,
		textStillOpen(inv).text, textOpenByHand(inv).text, textElsewhere(inv).text, textDeclined(inv).text,
		textFailed(fault).text, textRefusedAgain(fault).text, textNoList(fault).text,
		errSlowSignIn.Error(),
		textForbidden(policy.BadName, "<tool>").text, textForbidden(policy.Blocked, "<tool>").text, textForbidden(policy.NotAllowed, "<tool>").text,
		textForbidden(policy.Unlisted, "<tool>").text, textForbidden(policy.Writes, "<tool>").text,
		textUnjudged(fault).text, textUnrecorded(fault).text, textCannotAsk("<tool>").text, textConfirm("<tool>", "<arguments>"), textAsking, sentenceRefused, sentenceUnanswered, sentenceStale,
	}
}

func TestTexts_areInTheDocuments(t *testing.T) {
	t.Parallel()
	doc := readDoc(t, "errors.md")
	for _, text := range texts() {
		if !strings.Contains(doc, "| "+text+" |") {
			t.Errorf("docs/errors.md lacks a row with:\n%s", text)
		}
	}
	doc, _, _ = strings.Cut(doc, "## About everything else") // which has tables of its own
	if rows := strings.Count(doc, "\n| `"); rows != len(texts()) {
		t.Errorf("docs/errors.md has %d rows for %d texts", rows, len(texts()))
	}
}

// What a model reads must not send it in circles, nor name what is not there.
func TestTexts_nameNoCommand(t *testing.T) {
	t.Parallel()
	for _, text := range texts() {
		if strings.Contains(text, "payu-mcp login") || strings.Contains(text, "\n") {
			t.Errorf("%q", text)
		}
	}
}
