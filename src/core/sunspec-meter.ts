/**
 * What meters tell by SunSpec: models 201 to 204.
 * Source: the definitions of the SunSpec Alliance, github.com/sunspec/models, json/model_201.json and others.
 */

/** Offset from the id of the model, name there, id here, type, unit, offset of the scale factor. */
export const METER = `
    2  A                current                int16       A     6
    3  AphA             current-l1             int16       A     6
    4  AphB             current-l2             int16       A     6
    5  AphC             current-l3             int16       A     6
    7  PhV              voltage                int16       V     15
    8  PhVphA           voltage-l1             int16       V     15
    9  PhVphB           voltage-l2             int16       V     15
   10  PhVphC           voltage-l3             int16       V     15
   11  PPV              line-voltage           int16       V     15
   12  PhVphAB          voltage-l1-l2          int16       V     15
   13  PhVphBC          voltage-l2-l3          int16       V     15
   14  PhVphCA          voltage-l3-l1          int16       V     15
   16  Hz               frequency              int16       Hz    17
   18  W                power                  int16       W     22
   19  WphA             power-l1               int16       W     22
   20  WphB             power-l2               int16       W     22
   21  WphC             power-l3               int16       W     22
   23  VA               apparent-power         int16       VA    27
   24  VAphA            apparent-power-l1      int16       VA    27
   25  VAphB            apparent-power-l2      int16       VA    27
   26  VAphC            apparent-power-l3      int16       VA    27
   28  VAR              reactive-power         int16       var   32
   29  VARphA           reactive-power-l1      int16       var   32
   30  VARphB           reactive-power-l2      int16       var   32
   31  VARphC           reactive-power-l3      int16       var   32
   33  PF               power-factor           int16       %     37
   34  PFphA            power-factor-l1        int16       %     37
   35  PFphB            power-factor-l2        int16       %     37
   36  PFphC            power-factor-l3        int16       %     37
   38  TotWhExp         energy-export          acc32       Wh    54
   40  TotWhExpPhA      energy-export-l1       acc32       Wh    54
   42  TotWhExpPhB      energy-export-l2       acc32       Wh    54
   44  TotWhExpPhC      energy-export-l3       acc32       Wh    54
   46  TotWhImp         energy-import          acc32       Wh    54
   48  TotWhImpPhA      energy-import-l1       acc32       Wh    54
   50  TotWhImpPhB      energy-import-l2       acc32       Wh    54
   52  TotWhImpPhC      energy-import-l3       acc32       Wh    54
   55  TotVAhExp        apparent-export        acc32       VAh   71
   57  TotVAhExpPhA     apparent-export-l1     acc32       VAh   71
   59  TotVAhExpPhB     apparent-export-l2     acc32       VAh   71
   61  TotVAhExpPhC     apparent-export-l3     acc32       VAh   71
   63  TotVAhImp        apparent-import        acc32       VAh   71
   65  TotVAhImpPhA     apparent-import-l1     acc32       VAh   71
   67  TotVAhImpPhB     apparent-import-l2     acc32       VAh   71
   69  TotVAhImpPhC     apparent-import-l3     acc32       VAh   71
   72  TotVArhImpQ1     reactive-import-q1     acc32       varh  104
   74  TotVArhImpQ1PhA  reactive-import-q1-l1  acc32       varh  104
   76  TotVArhImpQ1PhB  reactive-import-q1-l2  acc32       varh  104
   78  TotVArhImpQ1PhC  reactive-import-q1-l3  acc32       varh  104
   80  TotVArhImpQ2     reactive-import-q2     acc32       varh  104
   82  TotVArhImpQ2PhA  reactive-import-q2-l1  acc32       varh  104
   84  TotVArhImpQ2PhB  reactive-import-q2-l2  acc32       varh  104
   86  TotVArhImpQ2PhC  reactive-import-q2-l3  acc32       varh  104
   88  TotVArhExpQ3     reactive-export-q3     acc32       varh  104
   90  TotVArhExpQ3PhA  reactive-export-q3-l1  acc32       varh  104
   92  TotVArhExpQ3PhB  reactive-export-q3-l2  acc32       varh  104
   94  TotVArhExpQ3PhC  reactive-export-q3-l3  acc32       varh  104
   96  TotVArhExpQ4     reactive-export-q4     acc32       varh  104
   98  TotVArhExpQ4PhA  reactive-export-q4-l1  acc32       varh  104
  100  TotVArhExpQ4PhB  reactive-export-q4-l2  acc32       varh  104
  102  TotVArhExpQ4PhC  reactive-export-q4-l3  acc32       varh  104
  105  Evt              events                 bitfield32  -
`;
