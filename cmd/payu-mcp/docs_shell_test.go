package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docLine is one command of the documents: of a block that a person may paste, or
// mentioned in a text, where words may be missing.
type docLine struct {
	at       string // file:line
	words    []string
	env      []string // assignments before it
	stdin    string   // of a here document
	piped    bool     // its input comes from another program
	mention  bool
	template bool // a word is a name that a person fills in
}

func (l docLine) String() string { return l.at + ": " + strings.Join(l.words, " ") }

// documents are the texts that people read, by name: those at the top of the
// repository and below docs.
func documents(t *testing.T, root string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "tools/packages/npm/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name, err := filepath.Rel(root, file)
			if err != nil {
				t.Fatal(err)
			}
			found[filepath.ToSlash(name)] = strings.ReplaceAll(string(text), "\r\n", "\n")
		}
	}
	return found
}

// A block without a language is a shell's if it begins like one.
var (
	docFence    = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```")
	docIndented = regexp.MustCompile(`(?m)^ {4}((?:make|go|payu-mcp) .*)$`)
	docInline   = regexp.MustCompile("`([^`\n]+)`")
	docTool     = regexp.MustCompile(`^(?:make|go (?:run|test|install|build|vet|tool)) `)
	docPrompt   = regexp.MustCompile(`(?m)^\$ (.*(?:\\\n.*)*)$`)
	docProgram  = regexp.MustCompile(`^(?:#!/bin/\w+\n|(?:# .*\n)*(?:go|make|git|npx|npm|payu-mcp|sha256sum|\$) )`)
	docHint     = regexp.MustCompile(`payu-mcp(?: [a-z-]+)?(?: --[a-z-]+(?:=[^-\s;,)|&.…]\S*)?)+|(?:run|use|with|see|again:|example:|first:|then:?) payu-mcp ([a-z-]+)`)
)

// docLines finds the commands of a document.
func docLines(name, text string) ([]docLine, error) {
	var found []docLine
	add := func(at int, script string, mention bool) error {
		lines, err := docCommands(script)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", name, at, err)
		}
		for _, l := range lines {
			l.at, l.mention = fmt.Sprintf("%s:%d", name, at), mention
			l.template = l.template || slices.ContainsFunc(l.words, docPlaceholder.MatchString)
			found = append(found, l)
		}
		return nil
	}
	lineOf := func(offset int) int { return strings.Count(text[:offset], "\n") + 1 }
	for _, m := range docFence.FindAllStringSubmatchIndex(text, -1) {
		language, block := text[m[2]:m[3]], text[m[4]:m[5]]
		if language == "" && !docProgram.MatchString(block) || !slices.Contains([]string{"", "sh", "bash", "console"}, language) {
			continue
		}
		if prompts := docPrompt.FindAllStringSubmatch(block, -1); prompts != nil {
			block = ""
			for _, p := range prompts {
				block += p[1] + "\n"
			}
		}
		if err := add(lineOf(m[4]), block, false); err != nil {
			return nil, err
		}
	}
	prose := docFence.ReplaceAllStringFunc(text, func(block string) string { return strings.Repeat("\n", strings.Count(block, "\n")) })
	text = prose // for lineOf
	for _, m := range docIndented.FindAllStringSubmatchIndex(prose, -1) {
		if err := add(lineOf(m[2]), prose[m[2]:m[3]], false); err != nil {
			return nil, err
		}
	}
	for _, m := range docInline.FindAllStringSubmatchIndex(prose, -1) {
		code := strings.ReplaceAll(prose[m[2]:m[3]], `\|`, "|")
		if strings.HasPrefix(code, "--") {
			code = "payu-mcp * " + code
		}
		if strings.HasPrefix(code, "payu-mcp ") || docTool.MatchString(code) {
			if err := add(lineOf(m[2]), code, true); err != nil {
				return nil, err
			}
		}
	}
	for _, m := range docHint.FindAllStringSubmatchIndex(docInline.ReplaceAllStringFunc(prose, blank), -1) {
		if m[2] >= 0 && prose[m[2]:m[3]] == "as" {
			continue // run payu-mcp as that user
		}
		hint := prose[m[0]:m[1]]
		if err := add(lineOf(m[0]), hint[strings.Index(hint, "payu-mcp"):], true); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// blank is as long as s, with nothing in it.
func blank(s string) string { return strings.Repeat("\x00", len(s)) }

// docPlaceholder is what a person replaces.
var docPlaceholder = regexp.MustCompile(`^(?:--[a-z-]+=)?(?:[A-Z][A-Z_]*\d?|.*[./:][A-Z]{3,}.*|.*\.\.\..*|.*…|<.*>|\$.*)$`)

// docCommands takes a script apart into its commands: words without quotes, no
// redirections, no comments. It knows what the documents use, and refuses the rest.
func docCommands(script string) ([]docLine, error) {
	s := &docShell{rest: script}
	if err := s.read(); err != nil {
		return nil, err
	}
	var found []docLine
	for _, l := range s.found {
		l.words = slices.DeleteFunc(l.words, func(w string) bool { return w == "..." || w == "…" })
		for len(l.words) > 0 && slices.Contains([]string{"if", "then", "else", "elif", "while", "until", "do", "!", "sudo", "exec"}, l.words[0]) {
			l.words = l.words[1:]
		}
		for len(l.words) > 0 && regexp.MustCompile(`^\w+=`).MatchString(l.words[0]) {
			l.env, l.words = append(l.env, l.words[0]), l.words[1:]
		}
		if len(l.words) > 0 {
			found = append(found, l)
		}
	}
	return found, nil
}

type docShell struct {
	rest  string
	word  strings.Builder
	begun bool // there is a word, perhaps an empty one
	skip  bool // the next word is where something is redirected to
	now   docLine
	found []docLine
	here  []string // the ends of here documents that begin on the next line
}

func (s *docShell) read() error {
	for s.rest != "" {
		c := s.rest[0]
		s.rest = s.rest[1:]
		switch {
		case c == '\\' && s.rest != "":
			if s.rest[0] != '\n' {
				s.add(s.rest[:1])
			}
			s.rest = s.rest[1:]
		case c == '\'' || c == '"':
			quoted, rest, ok := strings.Cut(s.rest, string(c))
			if !ok {
				return fmt.Errorf("a %c has no end", c)
			}
			s.add(quoted)
			s.rest = rest
		case strings.HasPrefix(string(c)+s.rest, "$(") || strings.HasPrefix(string(c)+s.rest, "<("):
			if err := s.inner(); err != nil {
				return err
			}
		case c == '#' && !s.begun:
			_, s.rest, _ = strings.Cut(s.rest, "\n")
			s.end(false)
		case c == ' ' || c == '\t':
			s.endWord()
		case c == '\n':
			s.end(false)
			s.hereDocuments()
		case c == '<' && strings.HasPrefix(s.rest, "<"):
			s.endWord()
			m := regexp.MustCompile(`^<-?\s*['"]?(\w+)['"]?`).FindStringSubmatch(s.rest)
			if m == nil {
				return fmt.Errorf("a here document has no end")
			}
			s.here, s.rest = append(s.here, m[1]), s.rest[len(m[0]):]
		case c == '<' || c == '>':
			s.redirect()
		case c == '|' || c == ';' || c == '&' || c == '(' || c == ')':
			s.end(c == '|' && !strings.HasPrefix(s.rest, "|"))
		default:
			s.add(string(c))
		}
	}
	s.end(false)
	return nil
}

func (s *docShell) add(text string) {
	s.word.WriteString(text)
	s.begun = true
}

func (s *docShell) endWord() {
	if s.begun && !s.skip {
		s.now.words = append(s.now.words, s.word.String())
	}
	s.skip = s.skip && !s.begun
	s.word.Reset()
	s.begun = false
}

func (s *docShell) end(pipe bool) {
	s.endWord()
	if len(s.now.words) > 0 {
		s.found = append(s.found, s.now)
		s.now = docLine{}
	}
	s.now.piped = s.now.piped || pipe
}

// inner reads a command within a command.
func (s *docShell) inner() error {
	depth, i := 1, 1
	for ; i < len(s.rest) && depth > 0; i++ {
		switch s.rest[i] {
		case '(':
			depth++
		case ')':
			depth--
		}
	}
	if depth > 0 {
		return fmt.Errorf("a ( has no end")
	}
	in := &docShell{rest: s.rest[1 : i-1]}
	if err := in.read(); err != nil {
		return err
	}
	s.found = append(s.found, in.found...)
	s.add("$(...)")
	s.rest = s.rest[i:]
	return nil
}

// redirect leaves out the number before it, if there is one, and the word behind.
func (s *docShell) redirect() {
	if s.word.Len() == 1 && strings.Contains("12", s.word.String()) {
		s.word.Reset()
		s.begun = false
	}
	s.endWord()
	s.rest = strings.TrimLeft(s.rest, ">&")
	s.skip = true
}

func (s *docShell) hereDocuments() {
	for _, end := range s.here {
		text, rest, _ := strings.Cut(s.rest, "\n"+end+"\n")
		s.rest = rest
		if n := len(s.found); n > 0 {
			s.found[n-1].stdin = text + "\n"
		}
	}
	s.here = nil
}
