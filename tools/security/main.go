// Command security keeps the table of docs/security.md: which test shows each
// row of the requirements (OAUTH A1 to A43, X1 to X30), and that the test turns
// red when the protection is taken away.
//
// A row is claimed by a directive in the doc comment of a test function, in
// either module:
//
//	//oauth:row A27 auth/authorize.go "iss != a.issuer" => "false"
//	//oauth:row A42 - "why there is no code to take away"
//
// The first names a file from the repository's root, a text that occurs exactly
// once in it, and what to put in its place; both texts are Go string literals.
//
//	go run -C tools ./security -check                 every row has a test, every text is found, the table is up to date
//	go run -C tools ./security -red -rows A27,X3      run these tests with and without the change
//	go run -C tools ./security -red -stale -write     the same for all that changed since, and note it in docs/
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"
)

type options struct {
	root              string
	check, red, write bool
	stale, verbose    bool
	rows              string
	parallel          int
	limit             time.Duration
}

var errFindings = errors.New("not all is well")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "security:", err)
		os.Exit(1)
	}
}

func flags(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("security", flag.ContinueOnError)
	f.StringVar(&o.root, "root", "..", "folder of the repository")
	f.BoolVar(&o.check, "check", false, "check the rows, the texts and the table")
	f.BoolVar(&o.red, "red", false, "run each test as it is, which must pass, and with its change, which must fail")
	f.BoolVar(&o.write, "write", false, "write docs/security.md and, after -red, what was seen")
	f.BoolVar(&o.stale, "stale", false, "with -red: only what was not seen red since it changed")
	f.BoolVar(&o.verbose, "v", false, "with -red: show the end of each output")
	f.StringVar(&o.rows, "rows", "", "with -red: only these rows, separated by commas")
	f.IntVar(&o.parallel, "p", 1, "with -red: tests at a time; end-to-end tests run one at a time anyway")
	f.DurationVar(&o.limit, "limit", 5*time.Minute, "with -red: how long a test may run; an end-to-end test waits for one thing up to two minutes")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if !o.check && !o.red && !o.write || f.NArg() > 0 {
		return o, errors.New("want -check, -red or -write")
	}
	return o, nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := flags(args)
	if err != nil {
		return err
	}
	claims, problems, err := readClaims(o.root)
	if err != nil {
		return err
	}
	seen, err := readSeen(o.root)
	if err != nil {
		return err
	}
	if o.red {
		results := redden(ctx, o, chosen(o, claims, seen), out, func(r result) error {
			seen.learn(r) // at once: a run takes long, and may be ended
			return o.save(claims, seen)
		})
		problems = append(problems, bad(results)...)
	}
	if err := o.save(claims, seen); err != nil {
		return err
	}
	if o.check {
		problems = append(problems, check(o.root, claims, seen)...)
		fmt.Fprintf(out, "%d claims, of which %d were not seen red since they changed\n", len(claims), len(seen.missing(claims)))
	}
	for _, p := range problems {
		fmt.Fprintln(out, p)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%w: %d findings", errFindings, len(problems))
	}
	return nil
}

// save writes what is known, if that is wanted.
func (o options) save(claims []claim, seen seen) error {
	if !o.write {
		return nil
	}
	return errors.Join(seen.write(o.root, claims), writeTable(o.root, claims, seen))
}

// chosen returns the claims that -rows and -stale leave.
func chosen(o options, claims []claim, seen seen) []claim {
	wanted := map[string]bool{}
	for row := range strings.SplitSeq(o.rows, ",") {
		wanted[row] = true
	}
	var found []claim
	for _, c := range claims {
		if (o.rows == "" || wanted[c.row]) && (!o.stale || !seen[c.hash()]) {
			found = append(found, c)
		}
	}
	return found
}
