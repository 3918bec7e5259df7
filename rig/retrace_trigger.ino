/* Trigger box for Retrace: Teensy 3.x, 4.x, LC or an Arduino with USB serial (115200 8N1).
 *
 * Eight output lines with hardware-timed pulses, up to eight input lines whose edges are stamped in
 * µs by this board. The bytes are described in rig/cdc_packet.h; in short:
 *   00 … FB, or FC xx   the port becomes this for the length of a pulse, then rest
 *   FD xx   rest        FE ww   pulse length, ww × 10 µs        FF   status
 *   'E' line t0 t1 t2 t3   edge: bits 0–2 line, bit 7 level      'S' inputs t0 t1 t2 t3   status
 *
 * Wiring: change the two lists to your pins. Outputs are 3.3 V on a Teensy: an MCS recorder wants
 * 5 V TTL (2 V at least for high, and nothing above 5 V or below 0 V), so put a 74HCT buffer between.
 * Inputs of a Teensy 4 bear 3.3 V and no more. An Uno has interrupts on pins 2 and 3 alone: INPUTS
 * {2, 3}, OUTPUTS {4 … 11}. Lines of one code change within about 1 µs of each other on a Teensy,
 * within 40 µs on an Uno; read a code well after the rise of its pulse. */
static const uint8_t OUTPUTS[8] = {2, 3, 4, 5, 6, 7, 8, 9};
static const uint8_t INPUTS[] = {14, 15, 16, 17};
static const uint8_t INPUT_LINES = sizeof INPUTS;
static const uint8_t EDGES_WAITING = 64; // a power of two

struct Edge {
    uint8_t line; // bit 7: level after
    uint32_t at_us;
};

static volatile Edge edges[EDGES_WAITING];
static volatile uint8_t written = 0; // by the interrupts
static uint8_t taken = 0;

static uint8_t restLines = 0;
static uint32_t pulse_us = 500, pulseBegan_us;
static bool isPulsing = false;
static int16_t command = -1; // waits for its second byte; -1: none does

static void setPort(uint8_t lines)
{
    for (uint8_t i = 0; i < 8; i++)
        digitalWrite(OUTPUTS[i], lines >> i & 1);
}

static void noteEdge(uint8_t line)
{
    uint8_t next = written;
    // a full list drops the edge; the next status shows the host that a level changed unseen
    if ((uint8_t)(next - taken) == EDGES_WAITING)
        return;
    edges[next % EDGES_WAITING].at_us = micros();
    edges[next % EDGES_WAITING].line = line | (digitalRead(INPUTS[line]) ? 0x80 : 0);
    written = next + 1;
}

static void edge0() { noteEdge(0); }
static void edge1() { noteEdge(1); }
static void edge2() { noteEdge(2); }
static void edge3() { noteEdge(3); }
static void (*const handlers[])() = {edge0, edge1, edge2, edge3};

// A Teensy would otherwise wait for more to fill the packet.
static void hurry()
{
#ifdef TEENSYDUINO
    Serial.send_now();
#endif
}

static void sendMessage(uint8_t kind, uint8_t value, uint32_t t_us)
{
    const uint8_t bytes[6] = {kind,
                              value,
                              (uint8_t)t_us,
                              (uint8_t)(t_us >> 8),
                              (uint8_t)(t_us >> 16),
                              (uint8_t)(t_us >> 24)};
    Serial.write(bytes, sizeof bytes);
}

static void sendEdges()
{
    bool hasSent = taken != written;
    while (taken != written) {
        sendMessage('E', edges[taken % EDGES_WAITING].line, edges[taken % EDGES_WAITING].at_us);
        taken++;
    }
    if (hasSent)
        hurry();
}

static void sendStatus()
{
    uint8_t inputs = 0;
    sendEdges(); // a status includes every edge before it
    for (uint8_t i = 0; i < INPUT_LINES; i++)
        inputs |= (uint8_t)(digitalRead(INPUTS[i]) << i);
    sendMessage('S', inputs, micros());
    hurry();
}

static void pulse(uint8_t lines)
{
    setPort(lines);
    pulseBegan_us = micros();
    isPulsing = true;
}

static void setRest(uint8_t lines)
{
    restLines = lines;
    if (!isPulsing)
        setPort(lines);
}

static void takeSecond(uint8_t byte)
{
    if (command == 0xFC)
        pulse(byte);
    else if (command == 0xFD)
        setRest(byte);
    else if (byte > 0)
        pulse_us = byte * 10UL;
    command = -1;
}

static void take(uint8_t byte)
{
    if (command >= 0)
        takeSecond(byte);
    else if (byte == 0xFF)
        sendStatus();
    else if (byte >= 0xFC)
        command = byte;
    else
        pulse(byte);
}

void setup()
{
    for (uint8_t i = 0; i < 8; i++)
        pinMode(OUTPUTS[i], OUTPUT);
    setPort(0);
    for (uint8_t i = 0; i < INPUT_LINES; i++) {
        pinMode(INPUTS[i], INPUT);
        attachInterrupt(digitalPinToInterrupt(INPUTS[i]), handlers[i], CHANGE);
    }
    Serial.begin(115200);
}

void loop()
{
    while (Serial.available())
        take((uint8_t)Serial.read());
    if (isPulsing && micros() - pulseBegan_us >= pulse_us) {
        isPulsing = false;
        setPort(restLines);
    }
    sendEdges();
}
