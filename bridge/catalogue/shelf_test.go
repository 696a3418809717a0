package catalogue_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/bridge/catalogue"
)

const version = "2025-11-25"

// clock is a time that tests move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newShelf(t *testing.T) (*catalogue.Shelf, string, *clock) {
	t.Helper()
	c := &clock{time.Date(2026, 11, 25, 8, 0, 0, 5, time.UTC)}
	dir := t.TempDir()
	return catalogue.NewShelf(dir, "0123", c.now), dir, c
}

// odd is what encoding/json would not leave as it is: order, numbers, escapes,
// white space, characters that HTML does not like.
const odd = `{"z":1.0, "protocolVersion":"2025-11-25","n":12345678901234567890,"e":1E5,"t":"a<b>&\u003c\u00e9é\/","a":{"b":null}}`

func saved() catalogue.Saved {
	return catalogue.Saved{
		Opening: json.RawMessage(odd),
		Lists: map[string]json.RawMessage{
			"tools/list":   json.RawMessage(`{"x":"<", "tools":[ {"name":"b"},{"name":"a","n":1.00} ]}`),
			"prompts/list": json.RawMessage(`{"prompts":[]}`),
		},
	}
}

func save(t *testing.T, s *catalogue.Shelf, v catalogue.Saved) {
	t.Helper()
	if err := s.Save(version, v); err != nil {
		t.Fatal(err)
	}
}

func equal(a, b catalogue.Saved) bool {
	return string(a.Opening) == string(b.Opening) && a.SavedAt.Equal(b.SavedAt) &&
		maps.EqualFunc(a.Lists, b.Lists, func(x, y json.RawMessage) bool { return string(x) == string(y) })
}

func file(dir, version string) string {
	return filepath.Join(dir, "catalogue-0123-"+version+".json")
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestSave_thenLoad_everyByteIsThere(t *testing.T) {
	t.Parallel()
	s, dir, c := newShelf(t)
	want := saved()
	save(t, s, want)
	want.SavedAt = c.t
	got, err := catalogue.NewShelf(dir, "0123", c.now).Load(version)
	if err != nil || got == nil || !equal(*got, want) {
		t.Errorf("%v, %+v", err, got)
	}
	if info, err := os.Stat(file(dir, version)); err != nil || info.Mode().Perm() != 0o600 && os.PathSeparator == '/' {
		t.Errorf("%v, %v", info, err)
	}
	for name, s := range map[string]*catalogue.Shelf{"version": s, "shelf": catalogue.NewShelf(dir, "4567", c.now)} {
		v := version
		if name == "version" {
			v = "2025-06-18"
		}
		if got, err := s.Load(v); got != nil || err != nil {
			t.Errorf("another %s: %v, %v", name, got, err)
		}
	}
}

func TestLoad_filesOnSeveralLines_oneLineEach(t *testing.T) {
	t.Parallel()
	s, dir, _ := newShelf(t)
	edited := `{"format":1,"savedAt":"2026-11-25T00:00:00Z",` + "\n" + `"opening":{` + "\n" + `"a": 1.0},"lists":{"tools/list":{"tools":[` + "\r\n" + ` ]}}}`
	if err := os.WriteFile(file(dir, version), []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := s.Load(version)
	if err != nil || string(got.Opening) != `{"a":1.0}` || string(got.Lists["tools/list"]) != `{"tools":[]}` {
		t.Errorf("%v, %+v", err, got)
	}
}

func TestLoad_damaged_countsAsNoneAndIsReplaced(t *testing.T) {
	t.Parallel()
	s, dir, _ := newShelf(t)
	save(t, s, saved())
	good, err := os.ReadFile(file(dir, version))
	if err != nil {
		t.Fatal(err)
	}
	const head = `{"format":1,"savedAt":"2026-11-25T00:00:00Z",`
	for name, content := range map[string]string{
		"empty": "", "cut": string(good[:len(good)-10]), "more behind": string(good) + "{}", "null": "null",
		"newer":            strings.Replace(string(good), `"format":1`, `"format":2`, 1),
		"no time":          strings.Replace(string(good), `"savedAt"`, `"at"`, 1),
		"no UTF-8":         strings.Replace(string(good), `"z"`, "\"\xff\"", 1),
		"no opening":       head + `"lists":{}}`,
		"opening a string": head + `"opening":"x","lists":{}}`,
		"unknown list":     head + `"opening":{},"lists":{"tools/call":{"tools":[]}}}`,
		"list of another":  head + `"opening":{},"lists":{"tools/list":{"prompts":[]}}}`,
		"one page":         head + `"opening":{},"lists":{"tools/list":{"tools":[],"nextCursor":"2"}}}`,
		"too large":        strings.Repeat(" ", 8<<20) + string(good),
		"too deep":         head + `"opening":{"a":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `},"lists":{}}`,
	} {
		if err := os.WriteFile(file(dir, version), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Load(version); got != nil || err == nil || len(err.Error()) > 300 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if ages := s.Ages(); len(ages) != 0 {
			t.Errorf("%s: ages %v", name, ages)
		}
		save(t, s, saved())
		if got, err := s.Load(version); got == nil || err != nil {
			t.Errorf("%s: afterwards %v, %v", name, got, err)
		}
	}
}

func TestSave_sameAgain_onlyAfterADay(t *testing.T) {
	t.Parallel()
	s, dir, c := newShelf(t)
	start := c.t
	other := saved()
	other.Lists["prompts/list"] = json.RawMessage(`{"prompts":[{}]}`)
	for _, step := range []struct {
		after  time.Duration
		save   catalogue.Saved
		writes bool
	}{
		{0, saved(), true},
		{time.Hour, saved(), false},
		{24*time.Hour - 1, saved(), false},
		{24 * time.Hour, saved(), true},
		{25 * time.Hour, other, true},
		{26 * time.Hour, saved(), true},
		{2 * time.Hour, saved(), true}, // the clock was wrong
	} {
		c.t = start.Add(step.after)
		before, _ := os.ReadFile(file(dir, version))
		save(t, s, step.save)
		after, _ := os.ReadFile(file(dir, version))
		if (string(before) != string(after)) != step.writes {
			t.Errorf("after %v: written %v, want %v", step.after, !step.writes, step.writes)
		}
		if at := s.Ages()[version]; step.writes && !at.Equal(c.t) {
			t.Errorf("after %v: saved at %v, want %v", step.after, at, c.t)
		}
	}
}

func TestSave_unfit_errorAndTheOldStays(t *testing.T) {
	t.Parallel()
	s, dir, _ := newShelf(t)
	save(t, s, saved())
	before, _ := os.ReadFile(file(dir, version))
	lists := func(method, result string) map[string]json.RawMessage {
		return map[string]json.RawMessage{method: json.RawMessage(result)}
	}
	for name, v := range map[string]catalogue.Saved{
		"no opening":   {},
		"two values":   {Opening: json.RawMessage(`{},"lists":{}`)},
		"broken list":  {Opening: json.RawMessage(`{}`), Lists: lists("tools/list", `{"tools":[}`)},
		"unknown list": {Opening: json.RawMessage(`{}`), Lists: lists("tasks/list", `{"tasks":[]}`)},
		"one page":     {Opening: json.RawMessage(`{}`), Lists: lists("tools/list", `{"tools":[],"nextCursor":"x"}`)},
		"too large":    {Opening: json.RawMessage(`{"a":"` + strings.Repeat("x", 8<<20) + `"}`)},
	} {
		if err := s.Save(version, v); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if after, _ := os.ReadFile(file(dir, version)); string(after) != string(before) || len(files(t, dir)) != 1 {
		t.Errorf("files %v", files(t, dir))
	}
}

func TestShelf_versionThatIsNoFileName_nothingSavedNothingLoaded(t *testing.T) {
	t.Parallel()
	s, dir, _ := newShelf(t)
	for _, v := range []string{"", "../x", "a/b", ".", "-1", "a b", "a\x00", "é", "a_b", strings.Repeat("1", 33)} {
		if err := s.Save(v, saved()); err != nil {
			t.Errorf("%q: %v", v, err)
		}
		if got, err := s.Load(v); got != nil || err != nil {
			t.Errorf("%q: %v, %v", v, got, err)
		}
	}
	if names := files(t, dir); names != nil {
		t.Errorf("files %v", names)
	}
	if err := s.Save(strings.Repeat("1", 32), saved()); err != nil || len(files(t, dir)) != 1 {
		t.Errorf("the longest: %v, files %v", err, files(t, dir))
	}
}

func TestShelf_noFolder_noneAndNoneIsMade(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "no")
	s := catalogue.NewShelf(dir, "0123", time.Now)
	save(t, s, saved())
	if got, err := s.Load(version); got != nil || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	if err := s.Drop(); err != nil || len(s.Ages()) != 0 {
		t.Errorf("%v, %v", err, s.Ages())
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a folder was made")
	}
}

func TestDrop_allVersions_andNothingElse(t *testing.T) {
	t.Parallel()
	s, dir, c := newShelf(t)
	for _, v := range []string{version, "2025-06-18", "2026-07-28"} {
		if err := s.Save(v, saved()); err != nil {
			t.Fatal(err)
		}
	}
	if ages := s.Ages(); len(ages) != 3 || !ages["2025-06-18"].Equal(c.t) {
		t.Errorf("ages %v", ages)
	}
	save(t, catalogue.NewShelf(dir, "4567", c.now), saved())
	for _, name := range []string{"credential-0123.json", "catalogue-0123-2025-06-18.json.ABCDEFGHIJKLMNOPQRSTUVWXYZ.tmp"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time there is nothing
		if err := s.Drop(); err != nil {
			t.Fatal(err)
		}
	}
	if got := files(t, dir); !slices.Equal(got, []string{"catalogue-4567-2025-11-25.json", "credential-0123.json"}) {
		t.Errorf("files %v", got)
	}
}

func TestShelf_manyAtOnce_wholeFilesOnly(t *testing.T) {
	t.Parallel()
	s, dir, c := newShelf(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			v := saved()
			v.Opening = json.RawMessage(`{"a":"` + strings.Repeat(string(rune('a'+i)), 50_000) + `"}`)
			mine := catalogue.NewShelf(dir, "0123", c.now)
			for range 5 {
				if err := mine.Save(version, v); err != nil {
					t.Error(err)
				}
				if got, err := s.Load(version); err != nil || got == nil || len(got.Opening) != 50_008 {
					t.Errorf("%v, %v", err, got != nil)
				}
			}
		})
	}
	wg.Wait()
	if names := files(t, dir); len(names) != 1 {
		t.Errorf("files %v", names)
	}
}
