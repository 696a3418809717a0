package main

// terminalName is the console of this process, if it has one.
const terminalName = "CONIN$"
