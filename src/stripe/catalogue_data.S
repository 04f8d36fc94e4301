// catalogue.json as bytes of the program: no file to install, none to lose.
  .section .rodata
  .global tilld_catalogue_begin
  .global tilld_catalogue_end
  .type tilld_catalogue_begin, %object
  .type tilld_catalogue_end, %object
  .balign 16
tilld_catalogue_begin:
  .incbin "stripe/catalogue.json"
tilld_catalogue_end:
  .byte 0

// Without this note the linker would give the whole program an executable stack.
  .section .note.GNU-stack, "", %progbits
