package edit_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/install/edit"
)

func TestDiff_changes_unified(t *testing.T) {
	t.Parallel()
	numbers := "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n"
	for name, c := range map[string]struct{ before, after, want string }{
		"none":          {"a\n", "a\n", ""},
		"new file":      {"", "a\nb\n", "--- f\n+++ f\n@@ -0,0 +1,2 @@\n+a\n+b\n"},
		"gone":          {"a\n", "", "--- f\n+++ f\n@@ -1,1 +0,0 @@\n-a\n"},
		"in the middle": {numbers, strings.Replace(numbers, "8\n", "8\nx\n", 1), "--- f\n+++ f\n@@ -6,6 +6,7 @@\n 6\n 7\n 8\n+x\n 9\n 10\n 11\n"},
		"two hunks":     {numbers, strings.Replace(strings.Replace(numbers, "2\n", "", 1), "15\n", "y\n", 1), "--- f\n+++ f\n@@ -1,5 +1,4 @@\n 1\n-2\n 3\n 4\n 5\n@@ -12,5 +11,5 @@\n 12\n 13\n 14\n-15\n+y\n 16\n"},
		"one hunk":      {"1\n2\n3\n4\n5\n6\n7\n8\n", "x\n2\n3\n4\n5\n6\n7\ny\n", "--- f\n+++ f\n@@ -1,8 +1,8 @@\n-1\n+x\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+y\n"},
		"no newline":    {"a\r\nb", "a\r\nb\r\nc", "--- f\n+++ f\n@@ -1,2 +1,3 @@\n a\n-b\n\\ No newline at end of file\n+b\n+c\n\\ No newline at end of file\n"},
		"long line":     {strings.Repeat("é", 150), "b\n", "--- f\n+++ f\n@@ -1,1 +1,1 @@\n-" + strings.Repeat("é", 100) + " [...]\n\\ No newline at end of file\n+b\n"},
		"many lines":    {strings.Repeat("a\n", 3000) + "x\n", "y\n" + strings.Repeat("b\n", 3000), ""},
	} {
		got := edit.Diff("f", []byte(c.before), []byte(c.after))
		if name == "many lines" {
			if n := strings.Count(got, "\n"); n != 6002+3 {
				t.Errorf("%s: %d lines", name, n)
			}
			continue
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}
