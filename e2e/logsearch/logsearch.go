// Package logsearch looks into the logs of a whole run for what must not be there:
// secrets that a server issued, numbers of cards, customers' addresses.
package logsearch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// What a run uses of a customer. The cards are those that the schemes and PayU
// publish for tests.
const (
	Name  = "Asha Rao-Iyer"
	Email = "asha.rao@customer.example"
	Phone = "9876543210"
)

// Cards are numbers of cards for tests, as people write them.
func Cards() []string {
	return []string{"5123 4567 8901 2346", "4012-0010-3714-1112", "4111111111111111", "378282246310005"}
}

// Run collects the logs and the secrets of a run. It is safe for concurrent use;
// its zero value is ready.
type Run struct {
	mu      sync.Mutex
	logs    map[string][]byte
	secrets map[string]bool
}

// Secrets adds what a server has issued or was sent. Short ones are left out: they
// could be in a log by accident.
func (r *Run) Secrets(all ...string) {
	const shortest = 8
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.secrets == nil {
		r.secrets = map[string]bool{}
	}
	for _, s := range all {
		if len(s) >= shortest {
			r.secrets[s] = true
		}
	}
}

// Log adds one log, by a name that is of use to who reads a finding.
func (r *Run) Log(name string, text []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.logs == nil {
		r.logs = map[string][]byte{}
	}
	r.logs[name] = append(r.logs[name], text...)
}

// Folder adds all files called *.log under a folder, and what they are rotated to.
func (r *Run) Folder(name, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	files := root.FS()
	err = fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || filepath.Ext(path) != ".log" {
			return err
		}
		text, err := fs.ReadFile(files, path)
		if err == nil {
			r.Log(name+" "+path, text)
		}
		return err
	})
	return errors.Join(err, root.Close())
}

// Total says in one line what has been looked through.
func (r *Run) Total() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines, debug := 0, 0
	for _, text := range r.logs {
		lines += strings.Count(string(text), "\n")
		debug += strings.Count(string(text), "level=DEBUG")
	}
	return fmt.Sprintf("%d logs with %d lines, %d of them at debug level, searched for %d secrets, %d cards and the customers", len(r.logs), lines, debug, len(r.secrets), len(Cards()))
}

// keyLen is how much of a secret is looked up first.
const keyLen = 8

// Findings names each log that holds something; it never repeats it.
func (r *Run) Findings() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	byKey := map[string][]string{}
	for s := range r.secrets {
		byKey[s[:keyLen]] = append(byKey[s[:keyLen]], s)
	}
	var found []string
	for name, text := range r.logs {
		for n, line := range strings.Split(string(text), "\n") {
			for _, what := range holds(line, byKey) {
				found = append(found, fmt.Sprintf("%s, line %d holds %s", name, n+1, what))
			}
		}
	}
	slices.Sort(found)
	return found
}

var (
	address = regexp.MustCompile(`[A-Za-z0-9._%+-]+(@|%40)[A-Za-z0-9-]+\.[A-Za-z]`)
	between = strings.NewReplacer(" ", "", "-", "")
)

func holds(line string, byKey map[string][]string) []string {
	var found []string
	for i := 0; i+keyLen <= len(line); i++ {
		for _, s := range byKey[line[i:i+keyLen]] {
			if strings.HasPrefix(line[i:], s) {
				found = append(found, "a secret")
			}
		}
	}
	digits := between.Replace(line)
	for _, card := range Cards() {
		if strings.Contains(digits, between.Replace(card)) {
			found = append(found, "the number of a card")
		}
	}
	if address.MatchString(line) {
		found = append(found, "an e-mail address")
	}
	if strings.Contains(digits, Phone) {
		found = append(found, "a phone number")
	}
	if strings.Contains(line, Name) || strings.Contains(line, strings.Fields(Name)[0]) {
		found = append(found, "a customer's name")
	}
	return found
}
