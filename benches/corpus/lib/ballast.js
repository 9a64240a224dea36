'use strict';

/** Measured: so many products take about a megabyte of heap. */
const PRODUCTS_PER_MEGABYTE = 5950;

/**
 * The catalogue of a shop: data that is there from the beginning and stays.
 *
 * @param {number} megabytes
 */
function makeBallast(megabytes) {
  return Array.from({ length: megabytes * PRODUCTS_PER_MEGABYTE }, (_, number) => ({
    number,
    code: `P-${number.toString(36)}`,
    price: number * 0.75,
    stock: [number % 7, number % 11],
  }));
}

module.exports = { makeBallast };
