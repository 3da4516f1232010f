/** What mqtt.js keeps of messages until they are acknowledged: nothing, for the spool has them. */
import { Store } from "mqtt";

/** A store that forgets at once, and says of everything that it had it. */
export class NoStore extends Store {
  override put(...[, done]: Parameters<Store["put"]>): this {
    done();
    return this;
  }

  override del(...[, done]: Parameters<Store["del"]>): this {
    done();
    return this;
  }
}
