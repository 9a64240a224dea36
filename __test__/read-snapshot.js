'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const zlib = require('node:zlib');

/**
 * Reads a snapshot file and sees to it that it is whole: that it parses, and holds as many nodes, edges and fields as it says.
 *
 * @param {string} file
 * @returns {{ nodes: number, strings: string[] }}
 */
function readSnapshot(file) {
  const packed = fs.readFileSync(file);
  const { snapshot, nodes, edges, strings } = JSON.parse(
    (file.endsWith('.gz') ? zlib.gunzipSync(packed) : packed).toString(),
  );
  assert.equal(nodes.length, snapshot.node_count * snapshot.meta.node_fields.length);
  assert.equal(edges.length, snapshot.edge_count * snapshot.meta.edge_fields.length);
  assert.ok(snapshot.node_count > 1_000, `${snapshot.node_count} nodes`);
  return { nodes: snapshot.node_count, strings };
}

/**
 * Sees to it that a folder holds whole snapshots with names of ours and nothing else, hidden files included.
 *
 * @param {string} folder
 * @returns {string[]} their paths
 */
function readSnapshotFolder(folder) {
  return fs
    .readdirSync(folder)
    .sort()
    .map((name) => {
      assert.match(name, /^Heap\.\d{8}\.\d{6}\.\d+\.\d+\.\d{3,}\.leakguard\.heapsnapshot(\.gz)?$/);
      const file = `${folder}/${name}`;
      readSnapshot(file);
      return file;
    });
}

module.exports = { readSnapshot, readSnapshotFolder };
