/** Cells of characters, as our own emulator has them. Written by overmind_web/tty/widths.py. */

const CELLS = [
  "lc,33,0 7o,6,0 7c,18,0 2,0,0 2,1,0 2,1,0 2,2,0 1z,a,0 2,0,0 1b,k,0 h,0,0 2u,6,0 3,5,0 3,1,0 2,3,0 10,0,0 v,q,0 2k,a,0 1n,8,0 a,0,0 p,3,0 2,8",
  ",0 2,2,0 2,4,0 18,2,0 1o,8,0 17,n,0 2,w,0 1j,2,0 2,h,0 2,6,0 b,1,0 u,2,0 1l,0,0 2,6,0 3,1,0 3,2,0 a,0,0 b,1,0 r,0,0 3,2,0 1l,0,0 2,4,0 5,1,0",
  " 3,2,0 4,0,0 v,1,0 4,0,0 c,2,0 1l,0,0 2,7,0 2,2,0 2,2,0 l,1,0 n,5,0 2,2,0 1l,0,0 2,6,0 3,1,0 3,2,0 6,4,0 b,1,0 v,0,0 1o,4,0 4,2,0 2,3,0 a,0,",
  "0 15,4,0 1k,0,0 2,6,0 2,2,0 2,3,0 8,1,0 c,1,0 u,2,0 1l,0,0 2,6,0 2,2,0 2,3,0 8,1,0 c,1,0 g,0,0 d,3,0 1k,1,0 2,6,0 2,2,0 2,3,0 a,0,0 b,1,0 u,",
  "2,0 1z,0,0 5,5,0 2,0,0 2,7,0 j,1,0 1q,0,0 3,6,0 d,7,0 2r,0,0 3,8,0 c,6,0 22,1,0 s,0,0 2,0,0 2,0,0 5,1,0 1e,j,0 2,1,0 6,a,0 2,z,0 a,0,0 2t,j,",
  "0 o,3,0 5,2,0 2,2,0 3,6,0 4,3,0 e,b,0 2,0,0 b,3,0 2r,2n,2 1,4f,0 9q,2,0 qb,3,0 t,2,0 u,1,0 v,1,0 1t,v,0 a,0,0 1a,4,0 3a,1,0 z,0,0 3b,b,0 5,b",
  ",0 64,4,0 1m,9,0 2,s,0 3,0,0 1d,1s,0 g,4,0 1c,g,0 13,8,0 d,2,0 v,c,0 1l,d,0 1d,j,0 49,2,0 2,k,0 5,0,0 7,0,0 3,2,0 5j,1r,0 ek,4,0 p,6,0 1e,f,",
  "0 2p,w,0 fe,1,2 e,1,2 5b,3,2 4,0,2 3,0,2 ei,1,2 m,1,2 r,7,2 h,b,2 18,0,2 b,5,2 4,0,2 e,0,2 9,1,2 i,1,2 6,1,2 9,0,2 6,0,2 m,0,2 8,1,2 2,0,2 5",
  ",0,2 3,0,2 8,0,2 5,1,2 t,0,2 10,0,2 2,0,2 5,2,2 2,0,2 1q,2,2 p,0,2 f,0,2 nw,1,2 1g,0,2 5,0,2 be,2,0 3y,0,0 2p,v,0 3l,p,2 2,2g,2 d,5x,2 r,1l,",
  "2 1,5,0 1,e,2 3,2d,2 3,1,0 1,2s,2 6,16,2 2,1e,2 1,0,0 1,15,2 2,2d,2 a,1b,2 2,13,2 9,mkc,2 4,1i,2 bt,3,0 2,9,0 x,1,0 29,1,0 7l,0,0 4,0,0 5,0,",
  "0 o,4,0 5,0,0 2c,1,0 1f,h,0 r,h,0 e,0,0 13,7,0 q,c,0 d,s,2 4,3,0 1c,d,0 11,0,0 1w,d,0 d,0,0 9,1,0 1a,2,0 1f,0,0 2,2,0 3,1,0 6,1,0 2,0,0 16,4",
  ",0 6,1,0 6l,7,0 2,1,0 j,8mb,2 d,27,0 6ip,e7,2 v,0,0 ki,f,0 1,9,2 7,f,0 1,y,2 2,i,2 2,3,2 44,0,0 2,2n,2 1s,0,0 1s,6,2 a,b,0 ea,0,0 6b,0,0 46,",
  "4,0 1af,2,0 2,1,0 6,3,0 15,2,0 5,0,0 4m,1,0 fy,3,0 1u,4,0 8u,1,0 v,4,0 x,f,0 1z,a,0 1e,3,0 3f,2,0 1i,e,0 16,0,0 3,1,0 b,3,0 1a,a,0 8,0,0 1q,",
  "2,0 11,d,0 h,1,0 19,0,0 d,2,0 1d,d,0 9,3,0 2,1,0 2l,b,0 7,0,0 3,0,0 4e,b,0 m,3,0 1k,1,0 2,6,0 3,1,0 3,2,0 a,0,0 b,1,0 3,6,0 4,4,0 1w,8,0 2,0",
  ",0 3,0,0 2,3,0 2,4,0 2,0,0 f,1,0 2b,h,0 o,0,0 2a,j,0 6k,6,0 3,8,0 s,1,0 2b,g,0 2z,c,0 2u,e,0 75,e,0 6u,5,0 2,1,0 3,3,0 2,0,0 2,1,0 3y,6,0 3,",
  "6,0 4,0,0 t,9,0 15,6,0 2,3,0 9,0,0 a,a,0 1b,f,0 5j,7,0 5k,7,0 2,7,0 2b,l,0 2,d,0 3f,5,0 4,0,0 2,1,0 2,6,0 2,0,0 1v,4,0 2,1,0 2,4,0 2h,0,0 77",
  ",3,0 a,1,0 2,0,0 1d,6,0 4,4,0 o,0,0 446,g,0 7,e,0 8uh,h,0 1xd,4,0 1o,6,0 t5,0,0 2,1i,0 8,3,0 26,3,2 1,0,0 c,1,0 1,4,2 a,5p6,2 11,x,2 2o,36,2",
  " e,pd,2 f,1e,2 5y6,3,2 2,6,2 2,1,2 2,88,2 a,0,2 u,2,2 3,0,2 f,4,2 8,az,2 1wi,1,0 2,3,0 3ml,19,0 3,m,0 dd,1,0 1p,4,0 4,l,0 3,6,0 v,3,0 45,2,0",
  " c,2,0 9,1,0 3,0,0 x,1,0 3j,2e,2 a,m,2 1ai,1i,0 5,1d,0 9,0,0 f,0,0 n,4,0 2,e,0 11t,6,0 2,g,0 3,6,0 2,1,0 2,4,0 2t,0,0 4h,6,0 ag,0,0 1q,3,0 e",
  "5,3,0 73,1,0 6s,0,0 3,0,0 8,1,0 6,0,0 d7,6,0 32,6,0 1bu,0,2 5n,0,2 5b,0,2 3,9,2 k,0,2 1k,s,2 e,17,2 5,8,2 8,1,2 f,5,2 4b,w,2 d,8,2 2,1x,2 2,",
  "l,2 d,16,2 5,4,2 d,g,2 4,0,2 4,1y,2 2,0,2 2,56,2 3,1q,2 e,3,2 2,n,2 j,0,2 r,1,2 e,0,2 2f,2c,2 1d,1x,2 7,0,2 4,2,2 3,4,2 3,3,2 c,1,2 8,8,2 66",
  ",0,2 6,b,2 5,0,2 7w,1a,2 2,9,2 2,54,2 35,c,2 4,1y,2 2,0,2 4,h,2 2,c,2 4,b,2 zq,1ekd,2 3,1ekd,2 e1oj,35r,0",
].join("");

const KINDS = [
  "z,0,2 7,0,2 6,9,2 34,0,3 5,0,3 2o5,0,1 3k,0,1 3gp,0,3 d,0,3 61,0,3 n,0,3 2j,5,3 g,1,3 a8,1,1 d,0,3 4n,0,3 q,3,1 1,2,3 1,0,1 1,1,3 1,0,1 5,2,",
  "3 5k,0,3 6g,1,3 b,0,3 a,0,3 1n,1,3 1,1,1 2,4,3 a,0,3 3,0,3 3,1,1 3,0,3 5,0,3 3,0,3 2,1,3 3,0,3 4,0,3 4,1,3 9,2,3 6,0,3 2,0,3 6,b,1 c,1,3 3,0",
  ",3 2,1,3 2,0,3 j,0,3 3,0,3 1,0,1 j,0,3 1,0,1 1,3,3 2,0,3 2,1,3 4,0,3 1,0,1 6,0,3 3,1,1 5,1,3 c,1,1 6,1,1 3,0,3 6,0,1 1,0,3 2,0,3 2,0,3 1,0,1",
  " l,0,3 1,0,1 6,1,3 1,1,1 1,0,3 1,0,1 2,2,3 1,0,1 3,0,1 5,0,3 3,0,1 3,1,3 1,1,1 1,1,3 2,0,3 3,0,3 2,0,3 2,0,3 7,0,3 4,0,3 7,0,1 b,1,3 g,0,3 3",
  ",0,3 5,0,1 2,0,1 5,2,1 2,0,1 c,1,3 1d,2,1 a,0,3 f,0,1 f,0,1 ad,1,3 cw,2,3 k,1,1 1g,0,1 5,0,1 yj,0,1 d,0,1 gq,0,1 2,0,1 14hx,1,1 1bhh,0,1 14,",
  "3,1 2t,b,1 g,1,1 g,0,1 f,1,1 12,9,1 35,1,3 d,1,3 f,0,1 3,9,1 l,1i,1 s,e,1 b,0,1 l,0,1 3,8,1 2,3,1 a,m,1 7,56,1 1,0,3 3,8,3 1,8,1 1,0,3 1,1x,",
  "1 1,0,3 1,l,1 3,1,3 2,2,3 3,1,3 1,16,1 1,3,3 1,4,1 1,b,3 1,g,1 3,0,3 1,0,1 1,0,3 2,0,3 1,2,1 6,1q,1 1,0,3 1,0,1 1,0,3 1,56,1 1,0,3 2,1q,1 c,",
  "1,3 1,3,1 2,n,1 8,1,3 3,6,3 1,0,1 d,0,3 3,3,3 3,0,3 5,1,1 e,0,1 1,0,3 3,0,3 9,1,3 a,0,3 6,2,3 d,2,3 9,2,3 3,0,3 2,0,3 5,0,3 7,0,3 4,0,3 7,0,",
  "3 1,2c,1 1d,1x,1 6,0,3 1,0,1 1,2,3 1,2,1 3,a,1 1,5,3 4,0,3 2,4,1 1,0,3 3,0,3 1,b,1 65,k,1 s,3,1 1l,7,1 b,5,1 15,7,1 v,1,1 d,3,1 3,d,1 a,12,1",
  " d,1a,1 2,9,1 2,54,1 2h,7,1 f,41,1 75,sd,1",
].join("");

/** A function that gives the value of a code point: that of its range, or the other one. */
function table(words, other) {
  const starts = [], ends = [], values = [];
  for (const word of words.split(" ")) {
    const [distance, more, value] = word.split(",").map((digits) => Number.parseInt(digits, 36));
    starts.push((ends.at(-1) ?? 0) + distance);
    ends.push(starts.at(-1) + more);
    values.push(value);
  }
  return (point) => {
    if (point < starts[0]) return other;
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= point) low = middle;
      else high = middle - 1;
    }
    return point <= ends[low] ? values[low] : other;
  };
}

/** Cells of a code point: 0, 1 or 2. */
export const cellsOf = table(CELLS, 1);
const kindOf = table(KINDS, 0);
const [PICTURED, TEXT] = [1, 2];
const [JOINER, EMOJI_LOOK] = [0x200d, 0xfe0f];
const isFlagLetter = (point) => point >= 0x1f1e6 && point <= 0x1f1ff;
const isTone = (point) => point >= 0x1f3fb && point <= 0x1f3ff;

/** Flags of the characters that stand together so far: these may still join them. */
const [BINDS, TAKES_TONE, TAKES_LOOK, TAKES_LETTER, IS_BOUND] = [1, 2, 4, 8, 16];

function begun(point) {
  if (isFlagLetter(point)) return TAKES_LETTER;
  const kind = kindOf(point);
  return (kind & PICTURED ? BINDS | TAKES_TONE : 0) | (kind & TEXT ? TAKES_LOOK : 0);
}

/** Whether a character with cells of its own belongs to those before it; as `joins` of the emulator. */
function joins(point, state) {
  if (state & IS_BOUND) return (state & BINDS) !== 0 && (kindOf(point) & PICTURED) !== 0;
  if (isTone(point)) return (state & TAKES_TONE) !== 0;
  return isFlagLetter(point) && (state & TAKES_LETTER) !== 0;
}

function packed(state, cells, joined) {
  return (state << 3) | (cells << 1) | (joined ? 1 : 0);
}

/** The answers for xterm.js: cells, whether it joins those before it, and the state, which comes back with the next. */
export const widths = {
  version: "overmind",
  wcwidth: cellsOf,
  charProperties(point, before) {
    const cells = cellsOf(point);
    const [old, state] = [(before >> 1) & 3, before >> 3];
    if (cells > 0) {
      if (old === 0 || !joins(point, state)) return packed(begun(point), cells, false);
      const takes = kindOf(point) & PICTURED ? TAKES_TONE : 0;
      return packed((state & BINDS) | takes, 2, true);
    }
    if (before === 0 || old === 0) return packed(0, 0, false);
    const binds = state & BINDS;
    if (point === JOINER) return packed(binds | IS_BOUND, old, true);
    if (point === EMOJI_LOOK) return packed(binds | (state & TAKES_TONE), state & TAKES_LOOK ? 2 : old, true);
    return packed(binds, old, true);
  },
};
