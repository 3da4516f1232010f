/** Who a simulated device says it is (Modbus Application Protocol 6.21). */

const MEI_TYPE = 14;
const ILLEGAL_FUNCTION = 1;
const ILLEGAL_ADDRESS = 2;
const ILLEGAL_VALUE = 3;

/** Basic and regular objects, as a stream and one by one. */
const CONFORMITY = 0x82;
const BASIC = 1;
const LAST_BASIC = 2;
const INDIVIDUAL = 4;

/** Answers a read of the device identification, or gives the code of an exception. */
export function identify(pdu: Buffer, model: string): Buffer | number {
  const [, type, access = 0, first = 0] = pdu;
  if (type !== MEI_TYPE) return ILLEGAL_FUNCTION;
  if (pdu.length !== 4 || access < BASIC || access > INDIVIDUAL) return ILLEGAL_VALUE;
  const last = access === BASIC ? LAST_BASIC : 0xff;
  // A level beyond ours is answered with ours.
  const objects = objectsOf(model).filter(([id]) => id <= last);
  const found = objects.findIndex(([id]) => id === first);
  if (access !== INDIVIDUAL) {
    // An object that is not there means the first one.
    return answerOf(access, objects.slice(Math.max(found, 0)));
  }
  return found < 0 ? ILLEGAL_ADDRESS : answerOf(access, objects.slice(found, found + 1));
}

type Identity = readonly [id: number, text: string];

/** Vendor, product code and revision are the basic objects; product and model names are regular. */
function objectsOf(model: string): readonly Identity[] {
  return [
    [0, "edgepoll"],
    [1, "simulator"],
    [2, "1"],
    [4, "simulator"],
    [5, model.slice(0, 100)],
  ];
}

/** All objects fit in one answer: more never follow. */
function answerOf(access: number, objects: readonly Identity[]): Buffer {
  const parts = objects.map(([id, text]) => {
    const bytes = Buffer.from(text, "latin1");
    return Buffer.concat([Buffer.of(id, bytes.length), bytes]);
  });
  const head = Buffer.of(43, MEI_TYPE, access, CONFORMITY, 0, 0, objects.length);
  return Buffer.concat([head, ...parts]);
}
