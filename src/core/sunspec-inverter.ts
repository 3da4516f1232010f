/**
 * What inverters tell by SunSpec: models 101 to 103, and in floating-point numbers 111 to 113.
 * Source: the definitions of the SunSpec Alliance, github.com/sunspec/models, json/model_101.json and others.
 */

/** Offset from the id of the model, name there, id here, type, unit, offset of the scale factor. */
export const INVERTER = `
   2  A        current                  uint16      A    6
   3  AphA     current-l1               uint16      A    6
   4  AphB     current-l2               uint16      A    6
   5  AphC     current-l3               uint16      A    6
   7  PPVphAB  voltage-l1-l2            uint16      V    13
   8  PPVphBC  voltage-l2-l3            uint16      V    13
   9  PPVphCA  voltage-l3-l1            uint16      V    13
  10  PhVphA   voltage-l1               uint16      V    13
  11  PhVphB   voltage-l2               uint16      V    13
  12  PhVphC   voltage-l3               uint16      V    13
  14  W        power                    int16       W    15
  16  Hz       frequency                uint16      Hz   17
  18  VA       apparent-power           int16       VA   19
  20  VAr      reactive-power           int16       var  21
  22  PF       power-factor             int16       %    23
  24  WH       energy                   acc32       Wh   26
  27  DCA      dc-current               uint16      A    28
  29  DCV      dc-voltage               uint16      V    30
  31  DCW      dc-power                 int16       W    32
  33  TmpCab   temperature-cabinet      int16       °C   37
  34  TmpSnk   temperature-heat-sink    int16       °C   37
  35  TmpTrns  temperature-transformer  int16       °C   37
  36  TmpOt    temperature-other        int16       °C   37
  38  St       state                    enum16      -
  39  StVnd    vendor-state             enum16      -
  40  Evt1     events-1                 bitfield32  -
  42  Evt2     events-2                 bitfield32  -
  44  EvtVnd1  vendor-events-1          bitfield32  -
  46  EvtVnd2  vendor-events-2          bitfield32  -
  48  EvtVnd3  vendor-events-3          bitfield32  -
  50  EvtVnd4  vendor-events-4          bitfield32  -
`;

/** The same without scale factors. */
export const FLOAT_INVERTER = `
   2  A        current                  float32     A
   4  AphA     current-l1               float32     A
   6  AphB     current-l2               float32     A
   8  AphC     current-l3               float32     A
  10  PPVphAB  voltage-l1-l2            float32     V
  12  PPVphBC  voltage-l2-l3            float32     V
  14  PPVphCA  voltage-l3-l1            float32     V
  16  PhVphA   voltage-l1               float32     V
  18  PhVphB   voltage-l2               float32     V
  20  PhVphC   voltage-l3               float32     V
  22  W        power                    float32     W
  24  Hz       frequency                float32     Hz
  26  VA       apparent-power           float32     VA
  28  VAr      reactive-power           float32     var
  30  PF       power-factor             float32     %
  32  WH       energy                   float32     Wh
  34  DCA      dc-current               float32     A
  36  DCV      dc-voltage               float32     V
  38  DCW      dc-power                 float32     W
  40  TmpCab   temperature-cabinet      float32     °C
  42  TmpSnk   temperature-heat-sink    float32     °C
  44  TmpTrns  temperature-transformer  float32     °C
  46  TmpOt    temperature-other        float32     °C
  48  St       state                    enum16      -
  49  StVnd    vendor-state             enum16      -
  50  Evt1     events-1                 bitfield32  -
  52  Evt2     events-2                 bitfield32  -
  54  EvtVnd1  vendor-events-1          bitfield32  -
  56  EvtVnd2  vendor-events-2          bitfield32  -
  58  EvtVnd3  vendor-events-3          bitfield32  -
  60  EvtVnd4  vendor-events-4          bitfield32  -
`;
