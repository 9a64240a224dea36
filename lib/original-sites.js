'use strict';

// Allocation sites and leaks in the words of their authors: TypeScript's lines instead of those of what was compiled of it.

const { findOriginals } = require('./source-maps');

/** @typedef {import('..').StackFrame} StackFrame */

/**
 * A place in a text: `handler (/app/dist/server.js:12)`. What is in quotes comes from data.
 */
const PLACE = /"(?:[^"\\]|\\.)*"|\(((?:\/|file:\/\/|[A-Za-z]:[\\/])[^"]*?):(\d+)\)/g;

/**
 * @template {StackFrame & { stack: StackFrame[] }} Site
 * @param {Site[]} sites
 * @returns {Promise<Site[]>}
 */
async function originalSites(sites) {
  return sitesWith(await findOriginals(framesOf(sites)), sites);
}

/**
 * A leak as the addon describes it. Function names stay V8's.
 *
 * @param {any} leak
 * @returns {Promise<any>}
 */
async function originalLeak(leak) {
  const { sites, reason, retainers = [] } = leak;
  const inPaths = retainers.flatMap((/** @type {{ path: string }} */ { path }) => placesIn(path));
  const find = await findOriginals([...framesOf(sites), ...inPaths]);
  return {
    ...leak,
    sites: sitesWith(find, sites),
    reason: sites.length > 0 ? reasonWith(find, reason, sites[0]) : reason,
    retainers: retainers.map((/** @type {{ path: string }} */ retainer) => ({
      ...retainer,
      path: pathWith(find, retainer.path),
    })),
  };
}

/** @param {Array<StackFrame & { stack: StackFrame[] }>} sites */
function framesOf(sites) {
  return sites.flatMap((site) => [site, ...site.stack]);
}

/**
 * @template {StackFrame & { stack: StackFrame[] }} Site
 * @param {Awaited<ReturnType<typeof findOriginals>>} find
 * @param {Site[]} sites
 */
function sitesWith(find, sites) {
  return sites.map((site) => ({
    ...site,
    ...find(site),
    stack: site.stack.map((frame) => ({ ...frame, ...find(frame) })),
  }));
}

/**
 * The reason names the top site, and says its line without the column, which in a minified script only the site has.
 *
 * @param {Awaited<ReturnType<typeof findOriginals>>} find
 * @param {string} reason
 * @param {StackFrame} top
 */
function reasonWith(find, reason, top) {
  const original = find(top);
  if (!original) return reason;
  const [from, to] = [top, original].map(({ scriptName, lineNumber }) => `(${scriptName}:${lineNumber})`);
  return reason.replaceAll(from, () => to);
}

/** @param {string} path */
function placesIn(path) {
  return [...path.matchAll(PLACE)]
    .filter(([, scriptName]) => scriptName !== undefined)
    .map(([, scriptName, line]) => ({ scriptName, lineNumber: Number(line) }));
}

/**
 * @param {Awaited<ReturnType<typeof findOriginals>>} find
 * @param {string} path
 */
function pathWith(find, path) {
  return path.replace(PLACE, (text, scriptName, line) => {
    const original = scriptName === undefined ? undefined : find({ scriptName, lineNumber: Number(line) });
    return original ? `(${original.scriptName}:${original.lineNumber})` : text;
  });
}

module.exports = { originalLeak, originalSites };
