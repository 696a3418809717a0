package main

import "runtime/debug"

// memoryGoal is what the garbage collector keeps a bridge under while it can.
// Idle, a bridge needs a fraction of it. Without a goal, the garbage of one
// message of 10 MB stays until the next one came on top of it.
const memoryGoal = 40 << 20

// limitMemory sets the goal, unless the person has set another one.
func limitMemory(getenv func(string) string) {
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryGoal)
	}
}
