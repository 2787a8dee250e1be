// Loaded into Azurite by `node --require`. Azurite 3.37.0 answers a write first and saves its files up to five seconds
// later; here it answers when they are written and renamed. So it may end at any moment, and ends with its parent, which
// holds the other end of stdin and never writes: on Linux, macOS and Windows alike, without signals.
"use strict";
const { ServerResponse } = require("node:http");
const { createRequire } = require("node:module");
const Loki = createRequire(process.argv[1])("lokijs");

const databases = [];
const { autosaveEnable } = Loki.prototype; // not called where nothing is kept
Loki.prototype.autosaveEnable = function (...given) {
  databases.push(this);
  return autosaveEnable.apply(this, given);
};

const { end } = ServerResponse.prototype;
ServerResponse.prototype.end = function (...given) {
  if (["GET", "HEAD", "OPTIONS"].includes(this.req.method)) return end.apply(this, given);
  // Not at once: the changes of a transaction follow each other without a break, and none is to be saved alone.
  setImmediate(() => saveAll().then(() => end.apply(this, given), () => this.destroy()));
  return this;
};

function saveAll() {
  // A save that is under way may have begun before the change.
  const unsaved = databases.filter((database) => database.autosaveDirty() || database.throttledSavePending);
  return Promise.all(unsaved.map(save));
}

function save(database) {
  return new Promise((done, failed) => database.saveDatabase((error) => (error ? failed(error) : done())));
}

const stop = () => process.exit(0);
process.stdin.on("end", stop).on("error", stop).resume();
