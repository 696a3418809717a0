package e2e

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// walk is an opener without a browser: a person who answers the forms of foreign
// authorization servers.
func walk(args []string) int {
	if walkPages(context.Background(), args[0]) != nil {
		return 1
	}
	return 0
}

// walkPages opens an address and answers forms until a page has none: with any
// name and password, and what the page has filled in already.
func walkPages(ctx context.Context, at string) error {
	const most = 12
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	client := &http.Client{Jar: jar}
	var form url.Values
	for range most {
		page, err := openPage(ctx, client, at, form)
		if err != nil {
			return err
		}
		action, answers, more := answerForm(page.body)
		if !more {
			return page.fine()
		}
		next, err := page.at.Parse(action)
		if err != nil {
			return err
		}
		at, form = next.String(), answers
	}
	return errors.New("the pages have no end")
}

type walkedPage struct {
	at     *url.URL
	status int
	body   string
}

func (p walkedPage) fine() error {
	if p.status != http.StatusOK {
		return fmt.Errorf("%s answered %d", p.at.Path, p.status)
	}
	return nil
}

func openPage(ctx context.Context, client *http.Client, at string, form url.Values) (walkedPage, error) {
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, at, strings.NewReader(body))
	if err != nil {
		return walkedPage{}, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := client.Do(req)
	if err != nil {
		return walkedPage{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return walkedPage{res.Request.URL, res.StatusCode, string(text)}, err
}

// answerForm reads the first form of a page as far as our servers' pages need it.
func answerForm(page string) (action string, answers url.Values, found bool) {
	form := regexp.MustCompile(`(?s)<form([^>]*)>(.*?)</form>`).FindStringSubmatch(page)
	if form == nil {
		return "", nil, false
	}
	answers = url.Values{}
	for _, input := range regexp.MustCompile(`<input[^>]*>`).FindAllString(form[2], -1) {
		value := attributeOf(input, "value")
		if kind := attributeOf(input, "type"); value == "" && (kind == "text" || kind == "password") {
			value = "merchant"
		}
		if name := attributeOf(input, "name"); name != "" {
			answers.Add(name, value)
		}
	}
	return attributeOf(form[1], "action"), answers, true
}

func attributeOf(tag, name string) string {
	m := regexp.MustCompile(`\s` + name + `="([^"]*)"`).FindStringSubmatch(tag)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}

// loginByCode runs `payu-mcp login --no-browser` while somebody opens the page
// that it shows, on another device.
func (w *world) loginByCode(args ...string) result {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), commandLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append([]string{"login", "--no-browser"}, args...)...)
	out, errs := w.sink("stdout of login"), w.sink("stderr of login")
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = w.env, out, errs, 5*time.Second
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	var address string
	w.eventually("a code is shown", 30*time.Second, func() bool {
		address = regexp.MustCompile(`(?m)^https?://\S+`).FindString(out.String())
		return strings.Contains(out.String(), "Nothing has to be pasted") && address != ""
	})
	if err := walkPages(ctx, address); err != nil {
		w.t.Errorf("the pages of the code: %v", err)
	}
	_ = cmd.Wait() // the exit code tells
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}
