#!/usr/bin/env node
// Plain old syntax: a Node.js that is too old must get as far as the line that says so.
var version = process.versions.node.split(".").map(Number);

if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  console.error("edgepoll needs Node.js 20.19 or newer; this is " + process.version + ".");
  process.exit(1);
}

import("../dist/cli/main.js").catch(function (error) {
  var notBuilt =
    error.code === "ERR_MODULE_NOT_FOUND" && /[\\/]cli[\\/]main\.js' imported/.test(error.message);
  console.error(notBuilt ? "edgepoll is not built yet; run: npm run build" : error);
  process.exit(notBuilt ? 1 : 70);
});
