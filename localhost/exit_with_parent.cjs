// Loaded into Azurite by `node --require`. The parent holds the other end of stdin and never writes: when it closes it,
// or dies in any way, Azurite stops in good order. This works the same on Linux, macOS and Windows, without signals.
"use strict";
process.stdin.on("end", () => {
  if (process.listenerCount("SIGTERM") > 0) process.emit("SIGTERM");
  else process.exit(0); // still starting: nothing to save yet
});
process.stdin.on("error", () => process.exit(0));
process.stdin.resume();
