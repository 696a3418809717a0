//go:build !windows

package main

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"testing/synctest"
	"time"
)

func TestPollParent_anotherParent_isNoticedByThePoll(t *testing.T) {
	t.Parallel()
	if !pollParent(t.Context(), os.Getppid()+1) {
		t.Error("the parent is gone, and nobody noticed")
	}
}

func TestPollParent_parentLives_endsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if since := time.Now(); pollParent(ctx, os.Getppid()) || time.Since(since) != time.Hour {
			t.Errorf("ended after %s", time.Since(since))
		}
	})
}

// A process that is not our parent is like one that has ended and whose pid
// was given again.
func TestParentEnds_strangerOrLivingParent_toldApart(t *testing.T) {
	t.Parallel()
	stranger := exec.CommandContext(t.Context(), "sleep", "60")
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stranger.Process.Kill(); _ = stranger.Wait() }()
	if !parentEnds(t.Context(), stranger.Process.Pid) {
		t.Error("a stranger counts as the parent")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan bool)
	go func() { ended <- parentEnds(ctx, os.Getppid()) }()
	cancel()
	if <-ended {
		t.Error("the end of the context counts as the end of the parent")
	}
}
