package logfile_test

func windows() bool { return true }
