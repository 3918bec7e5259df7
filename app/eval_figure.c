#include "app/eval.h"

bool eval_draw(Eval *e, const EvalFigure *figure, bool *is_input, char *err)
{
    (void)e, (void)figure, (void)is_input, (void)err;
    return true;
}
