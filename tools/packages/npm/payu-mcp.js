#!/usr/bin/env node
// Starts payu-mcp, which is a program of its own in the package of this platform,
// and is nothing but a go-between: the program has the same standard streams, gets
// each signal once, and ends the same way. Node 18 and newer; no dependencies.
"use strict";

const { spawn } = require("node:child_process");
const { isatty } = require("node:tty");

const home = "https://github.com/payu-mcp/payu-mcp";

function fail(what, hint) {
  process.stderr.write(`payu-mcp: error: ${what}\npayu-mcp: hint: ${hint}\n`);
  process.exitCode = 1;
}

function find(platform) {
  const packages = require("../package.json").optionalDependencies;
  const name = `@payu-mcp/${platform}`;
  if (!(name in packages)) {
    return fail(`there is no program for ${platform} on npm`, `build it with Go, as ${home} says`);
  }
  const file = process.platform === "win32" ? "payu-mcp.exe" : "payu-mcp";
  try {
    return require.resolve(`${name}/bin/${file}`);
  } catch {
    return fail(
      `the package ${name} is not installed`,
      "install payu-mcp again with optional dependencies (no --omit=optional), on the computer that it shall run on",
    );
  }
}

function start(program) {
  // Who kills a group of processes would signal the program itself, and again
  // through us; its second signal means "at once". So behind a host it has a group
  // of its own. At a terminal it must stay in ours to read, or, in a `call` whose
  // arguments come through a pipe, to ask; what the keyboard sends goes to the whole
  // group there, and only the rest needs passing on.
  // Windows has no such signals: what its console sends goes to everybody.
  const atTerminal = isatty(0) || (isatty(2) && process.argv.includes("call"));
  const apart = process.platform !== "win32" && !atTerminal;
  const child = spawn(program, process.argv.slice(2), { stdio: "inherit", detached: apart, windowsHide: true });
  for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"]) {
    process.on(signal, () => {
      if (apart || signal === "SIGTERM") child.kill(signal);
    });
  }
  child.on("error", (e) => fail(`the program cannot be started: ${e.message}`, `see ${home}`));
  child.on("exit", (code, signal) => {
    if (signal) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    } else {
      process.exitCode = code;
    }
  });
}

// npx that gets SIGTERM leaves us behind. The program does not watch npx but us: it
// ends in good order when we are gone, however we went.
function followParent() {
  const parent = process.ppid; // Windows tells it also when it is gone
  const there = () => {
    try {
      return process.ppid === parent && process.kill(parent, 0);
    } catch (e) {
      return e.code !== "ESRCH";
    }
  };
  setInterval(() => there() || process.exit(1), 2000).unref();
}

const program = find(`${process.platform}-${process.arch}`);
if (program) {
  followParent();
  start(program);
}
