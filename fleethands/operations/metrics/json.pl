# JSON of Ollama's answers and of the gateway's log; perl-base has no module for it.
sub parse_json {
    my ($text) = @_;
    return if !defined $text;
    pos($text) = 0;
    my $value = eval { json_value(\$text, 0) };
    return $@ ? undef : $value;
}

sub json_value {
    my ($text, $depth) = @_;
    die "too deep\n" if $depth > 16;
    $$text =~ /\G\s+/gc;
    return json_object($text, $depth) if $$text =~ /\G\{\s*/gc;
    return json_list($text, $depth) if $$text =~ /\G\[\s*/gc;
    return json_text($1) if $$text =~ /\G"([^"\\]*+(?:\\.[^"\\]*+)*+)"/gcs;
    return $1 if $$text =~ /\G(-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)/gc;
    return $1 eq 'true' ? 1 : $1 eq 'false' ? 0 : undef if $$text =~ /\G(true|false|null)/gc;
    die "no JSON\n";
}

sub json_object {
    my ($text, $depth) = @_;
    my %object;
    until ($$text =~ /\G\s*\}/gc) {
        $$text =~ /\G\s*"([^"\\]*+(?:\\.[^"\\]*+)*+)"\s*:/gcs or die "no key\n";
        my $key = json_text($1);
        $object{$key} = json_value($text, $depth + 1);
        $$text =~ /\G\s*(?:,|(?=\}))/gc or die "no comma\n";
    }
    return \%object;
}

sub json_list {
    my ($text, $depth) = @_;
    my @list;
    until ($$text =~ /\G\s*\]/gc) {
        push @list, json_value($text, $depth + 1);
        $$text =~ /\G\s*(?:,|(?=\]))/gc or die "no comma\n";
    }
    return \@list;
}

my %ESCAPES = (n => "\n", t => "\t", r => "\r", b => "\b", f => "\f");

sub json_text {
    my ($text) = @_;
    $text =~ s/\\(?:u([0-9a-fA-F]{4})|(.))/defined $1 ? json_character(hex $1) : $ESCAPES{$2} \/\/ $2/ges;
    return $text;
}

sub json_character {
    my ($code) = @_;
    return '?' if $code >= 0xd800 && $code <= 0xdfff;
    my $character = chr $code;
    utf8::encode($character);
    return $character;
}

# rows VALUE, KEY: the objects of the list at KEY; none if VALUE has another form
sub rows {
    my ($value, $key) = @_;
    my $list = ref $value eq 'HASH' ? $value->{$key} : undef;
    return ref $list eq 'ARRAY' ? grep { ref eq 'HASH' } @$list : ();
}

sub text_of {
    my ($value) = @_;
    return defined $value && !ref $value ? $value : '';
}
