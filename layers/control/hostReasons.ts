/** Why a host is in its state, where something else is decided by that. */
export const DISCONNECTED = 'its container agent is not connected to ECS';
export const SPOT_INTERRUPTED = 'EC2 announced a Spot interruption';
