'use strict';

// Secrets, and whether a snapshot tells them.

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const fs = require('node:fs');
const zlib = require('node:zlib');

const BYTES = 9;
/** So many letters of a secret in a row tell it: 2 ** 48 others are as likely. */
const PART = 12;
/** A letter `a` of one UTF-16 unit, and one of two. */
const [FULLWIDTH, BOLD] = [0xff41, 0x1d41a];
/** V8 writes the lower 16 bits of letters that have more. */
const CUT = /[\ud41a-\ud42a]/g;

/** A new secret, unspelled, so that having it leaves no trace in the heap. */
function newSecret() {
  return randomBytes(BYTES);
}

/**
 * Letters only, as a name of code may be, and in one piece.
 *
 * @param {Uint8Array} secret
 */
function spell(secret) {
  return Buffer.from([113, ...Array.from(secret, (byte) => [97 + (byte >> 4), 97 + (byte & 15)]).flat()]).toString(
    'latin1',
  );
}

/** @param {string} text */
function partsOf(text) {
  return Array.from({ length: text.length - PART + 1 }, (_, start) => text.slice(start, start + PART));
}

/**
 * The secrets that a snapshot tells, as a whole or in part, in its bytes or in the strings that they stand for. Whoever writes a secret in
 * other letters than ASCII's (`widen`) tells it too.
 *
 * @param {string} file unpacked where it ends with .gz
 * @param {Record<string, string[]>} places the secrets by place
 * @returns {Record<string, number>} how many by place, those without one left out
 */
function toldSecrets(file, places) {
  const packed = fs.readFileSync(file);
  const bytes = file.endsWith('.gz') ? zlib.gunzipSync(packed) : packed;
  assert.equal(bytes.indexOf(0), -1, 'UTF-16 as it is would not be found');
  const raw = bytes.toString();
  const text = `${raw}\n${JSON.parse(raw).strings.join('\n')}`
    .normalize('NFKC')
    .replace(CUT, (unit) => String.fromCharCode(unit.charCodeAt(0) - (BOLD & 0xffff) + 97));
  const told = new Set((text.match(/[a-q]{12,}/g) ?? []).flatMap(partsOf));
  const counts = Object.entries(places).map(([place, secrets]) => [
    place,
    secrets.filter((secret) => partsOf(secret).some((part) => told.has(part))).length,
  ]);
  return Object.fromEntries(counts.filter(([, count]) => count !== 0));
}

/**
 * A text in other letters.
 *
 * @param {string} text
 * @param {number} a the first of them
 */
function widen(text, a) {
  return Array.from(text, (letter) => String.fromCodePoint(letter.charCodeAt(0) - 97 + a)).join('');
}

module.exports = { BOLD, FULLWIDTH, newSecret, spell, toldSecrets, widen };
