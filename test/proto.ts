import fc from 'fast-check'

/** A message with a field of every kind. */
export const KITCHEN_SINK = `syntax = "proto3";
enum Color { RED = 0; GREEN = 1; }
message All {
  double f_double = 1;
  float f_float = 2;
  int32 f_int32 = 3;
  uint32 f_uint32 = 4;
  sint32 f_sint32 = 5;
  fixed32 f_fixed32 = 6;
  sfixed32 f_sfixed32 = 7;
  int64 f_int64 = 8;
  uint64 f_uint64 = 9;
  sint64 f_sint64 = 10;
  fixed64 f_fixed64 = 11;
  sfixed64 f_sfixed64 = 12;
  bool f_bool = 13;
  string f_string = 14;
  bytes f_bytes = 15;
  Color f_color = 16;
  All f_all = 17;
  repeated int32 r_int32 = 18;
  repeated string r_string = 19;
  repeated double r_double = 20;
  repeated Color r_color = 21;
  map<string, int32> m_string = 22;
  map<int64, string> m_int64 = 23;
  map<bool, All> m_all = 24;
  repeated All r_all = 25;
  oneof choice { int32 c_int32 = 26; string c_string = 27; }
  optional int32 o_int32 = 28;
}
`

const text = fc.string({ unit: 'binary', maxLength: 10 }).map((text) => text.toWellFormed())
const uint64 = fc.bigInt(0n, 2n ** 64n - 1n).map(String)
const int64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(String)
const int32 = fc.integer()
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })

const FEW = { maxLength: 4 }
/** The options of nested messages. More depth would make messages large. */
const NESTED = { depthIdentifier: 'all', maxDepth: 1 } as const

/** Messages as objects. Maps with 64-bit keys are optional, since protobufjs cannot read them. */
export const messages = (hasLongKeys: boolean) =>
  fc.letrec<{ all: object }>((tie) => ({
    all: fc.record(
      {
        f_double: fc.double(),
        f_float: fc.float(),
        f_int32: int32,
        f_uint32: uint32,
        f_sint32: int32,
        f_fixed32: uint32,
        f_sfixed32: int32,
        f_int64: int64,
        f_uint64: uint64,
        f_sint64: int64,
        f_fixed64: uint64,
        f_sfixed64: int64,
        f_bool: fc.boolean(),
        f_string: text,
        f_bytes: fc.uint8Array(FEW).map((bytes) => Buffer.from(bytes).toString('base64')),
        f_color: fc.constantFrom('RED', 'GREEN'),
        f_all: fc.option(tie('all'), { nil: undefined, ...NESTED }),
        r_int32: fc.array(int32, FEW),
        r_string: fc.array(text, FEW),
        r_double: fc.array(fc.double(), FEW),
        r_color: fc.array(fc.constantFrom('RED', 'GREEN'), FEW),
        r_all: fc.array(tie('all'), { maxLength: 2, ...NESTED }),
        m_string: fc.dictionary(
          text.filter((key) => key !== '__proto__'),
          int32,
          { maxKeys: 3 },
        ),
        ...(hasLongKeys ? { m_int64: fc.dictionary(int64, text, { maxKeys: 3 }) } : {}),
        m_all: fc.dictionary(fc.constantFrom('true', 'false'), tie('all'), { maxKeys: 1, ...NESTED }),
        c_string: text,
        o_int32: int32,
      },
      { requiredKeys: [] },
    ),
  })).all
