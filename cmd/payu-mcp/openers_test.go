package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
)

// opening is what an opener saw.
type opening struct {
	PID int
	URL string
	FDs []string // where its file descriptors lead
	Env []string
}

// lastingBrowser is an opener that stays: `lasting-browser FILE URL`.
func lastingBrowser() {
	o := opening{PID: os.Getpid(), URL: os.Args[2], Env: os.Environ()}
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, link := range links {
		to, err := os.Readlink(link)
		if err == nil {
			o.FDs = append(o.FDs, to)
		}
	}
	b, err := json.Marshal(o)
	if err == nil {
		err = os.WriteFile(os.Args[1]+".new", b, 0o600)
	}
	if err == nil {
		err = os.Rename(os.Args[1]+".new", os.Args[1])
	}
	if err != nil {
		os.Exit(1)
	}
	time.Sleep(time.Minute) // its test ends it
}

// openAndDie starts an opener and is killed while that is under way.
func openAndDie() {
	self, err := exec.LookPath("payu-mcp")
	if err != nil {
		os.Exit(1)
	}
	o := auth.Opener{Command: []string{self, openURLCommand}, Getenv: os.Getenv}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // Open does not wait
	if o.Open(ctx, "https://h.example/where?to=go") == nil {
		if p, err := os.FindProcess(os.Getpid()); err == nil {
			_ = p.Kill()
		}
		select {}
	}
}
