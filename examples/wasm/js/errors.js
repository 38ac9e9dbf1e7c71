// What went wrong: which field, its value, what is allowed. Nothing was changed then.

/** Adds what every error here carries, and a message that says it. */
const told = (Base) =>
  class extends Base {
    constructor(field, value, allowed) {
      super(`${field} = ${show(value)}, allowed ${allowed}`);
      this.field = field;
      this.value = value;
      this.allowed = allowed;
    }

    get name() {
      return this.constructor.name;
    }
  };

/** A value of the wrong type. */
export class SteadfastTypeError extends told(TypeError) {}

/** A value of the right type that is outside what is allowed. */
export class SteadfastRangeError extends told(RangeError) {}

/** The right call at the wrong time: before `init()`, or after `free()`. */
export class SteadfastStateError extends told(Error) {}

/** A value for a message: short, whatever it is. */
function show(value) {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
    case "bigint":
      return `${value}n`;
    case "symbol":
      return "a symbol";
    case "function":
      return "a function";
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? "an array" : "an object";
    default:
      return Object.is(value, -0) ? "-0" : String(value);
  }
}
