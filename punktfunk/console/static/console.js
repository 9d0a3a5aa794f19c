// The console's entry: everything pages share. Pages with charts bring a module of their own.

import { installActions } from "./actions.js";
import { installLive } from "./live.js";
import { installManners } from "./manners.js";
import { installPairing } from "./pairing.js";

installManners();
installActions();
installPairing();
installLive();
