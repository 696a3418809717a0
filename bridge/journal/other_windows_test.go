package journal_test

func windows() bool { return true }
